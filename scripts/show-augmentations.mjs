// Writes what augmentations make of pictures, as a PNG: a row of inputs, as the network sees them, for each list. Needs dist/ (npm run build).
// usage: node scripts/show-augmentations.mjs OUT.png SIDE PICTURE… LIST…     a LIST is what `train --augment` takes, or `none`
import { writeFileSync } from "node:fs";
import { parseAugmentations } from "../dist/pipeline/augmentations/text.js";
import { batches } from "../dist/pipeline/batches.js";
import { inMemory } from "../dist/pipeline/dataset.js";
import { readImage } from "../dist/pipeline/decode.node.js";
import { encodePng } from "../dist/pipeline/encode.node.js";
import { createImage } from "../dist/pipeline/image.js";

const COLUMNS = 12;
const GAP = 4;
const [out, sideText, ...rest] = process.argv.slice(2);
const side = Number(sideText);
const files = rest.filter((text) => /\.(png|jpe?g)$/i.test(text));
const lists = rest.filter((text) => !files.includes(text));
if (!out || !files.length || !lists.length) throw new Error("usage: node scripts/show-augmentations.mjs OUT.png SIDE PICTURE… LIST…");

const images = await Promise.all(Array.from({ length: COLUMNS }, (_, i) => readImage(files[i % files.length])));
const names = files.map((_, i) => String(i));
const dataset = inMemory({ name: "pictures", classNames: names, images, labels: images.map((_, i) => i % files.length) });
const preprocess = {
  resize: Math.round((side * 8) / 7),
  filter: "bilinear",
  crop: [side, side],
  channels: 3,
  mean: [0.5, 0.5, 0.5],
  std: [0.5, 0.5, 0.5],
};
const plan = { batchSize: COLUMNS, seed: 1, epoch: 0, shuffle: false, preprocess, labelSmoothing: 0, firstBatch: 0 };

const step = side + GAP;
const sheet = createImage(COLUMNS * step + GAP, lists.length * step + GAP, 3);
sheet.data.fill(255);
for (const [row, list] of lists.entries()) {
  const augmentations = list === "none" ? [] : parseAugmentations(list);
  for await (const { images: inputs, targets } of batches(dataset, { ...plan, augmentations })) {
    for (let k = 0; k < COLUMNS; k++)
      for (let c = 0; c < 3; c++)
        for (let y = 0; y < side; y++)
          for (let x = 0; x < side; x++) {
            const value = inputs.data[((k * 3 + c) * side + y) * side + x];
            sheet.data[((GAP + row * step + y) * sheet.width + GAP + k * step + x) * 3 + c] = Math.round((value * 0.5 + 0.5) * 255);
          }
    const shares = Array.from({ length: COLUMNS }, (_, k) => Math.max(...targets.data.subarray(k * names.length, (k + 1) * names.length)));
    console.log(
      `${list}${shares.every((share) => share === 1) ? "" : `: larger shares ${shares.map((share) => share.toFixed(2)).join(" ")}`}`,
    );
  }
}
writeFileSync(out, await encodePng(sheet));
