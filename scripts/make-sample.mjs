// Makes pipeline/datasets/sample/ from the official Fashion-MNIST files, reproducibly. Needs dist/ (npm run build).
// usage: node scripts/make-sample.mjs ROOT          where ROOT/fashion-mnist holds the four files
import { mkdirSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import sharp from "sharp";

const DIST = new URL("../dist/", import.meta.url);
const { random } = await import(new URL("core/random.js", DIST));
const { openDataset } = await import(new URL("pipeline/datasets/index.js", DIST));
const { FASHION_MNIST_SPLITS } = await import(new URL("pipeline/datasets/fashion-mnist.js", DIST));

const PER_CLASS = { train: 600, test: 100 };
const PICTURES = ["Ankle boot", "Sandal", "Trouser", "Bag", "Dress", "Sneaker"]; // one test image of each class, none of them in the sample
const SEED = 20170825;

const root = process.argv[2];
if (!root) throw new Error("usage: node scripts/make-sample.mjs ROOT");
const out = join(import.meta.dirname, "../pipeline/datasets/sample");
mkdirSync(out, { recursive: true });

const idx = (magic, shape, parts) => {
  const header = Buffer.alloc(4 + 4 * shape.length);
  for (const [i, value] of [magic, ...shape].entries()) header.writeUInt32BE(value, 4 * i);
  return gzipSync(Buffer.concat([header, ...parts]), { level: 9 });
};

let total = 0;
for (const [split, count] of Object.entries(PER_CLASS)) {
  const dataset = await openDataset({ name: "fashion-mnist", root, split });
  const order = random(SEED).fork(split).permutation(dataset.length);
  const ofClass = dataset.classNames.map((_, label) => order.filter((index) => dataset.labels[index] === label));
  const chosen = Uint32Array.from(ofClass.flatMap((indices) => [...indices.slice(0, count)])).sort();
  const pixels = [...chosen].map((index) => dataset.image(index).data);
  const files = {
    "images-idx3-ubyte.gz": idx(0x803, [chosen.length, 28, 28], pixels),
    "labels-idx1-ubyte.gz": idx(0x801, [chosen.length], [Uint8Array.from(chosen, (index) => dataset.labels[index])]),
  };
  for (const [name, bytes] of Object.entries(files)) {
    const file = join(out, `${FASHION_MNIST_SPLITS[split]}-${name}`);
    writeFileSync(file, bytes);
    total += statSync(file).size;
  }
  if (split === "test")
    for (const name of PICTURES) {
      const [, index] = ofClass[dataset.classNames.indexOf(name)].slice(count); // the first sandal and the first bag are hard to tell
      const { width, height, channels, data } = dataset.image(index);
      const image = sharp(data, { raw: { width, height, channels } }).toColourspace("b-w");
      await image.png({ compressionLevel: 9 }).toFile(join(out, `${name.toLowerCase().replace(" ", "-")}.png`));
    }
}
console.log(`${out}: ${(total / 1e6).toFixed(2)} MB`);
