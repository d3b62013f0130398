// Data beside its limits, in turn in one run: npm run bench:data
// The first epoch over JPEGs beside sharp's bare decoding, later epochs beside a PyTorch DataLoader with two workers, and the evaluation of
// Fashion-MNIST's test images beside the bare session. FIVECROP_DATA names the folder of miniplaces/ and fashion-mnist/, PEERS the directory that
// holds venv/bin/python. ROUNDS says how long it takes, PICTURES how many of MiniPlaces' training pictures are read. A part whose data are missing is
// left out, and said. --json prints one object.
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import sharp from "sharp";
import { createSession } from "../dist/core/session.node.js";
import { setWeights } from "../dist/export/export-onnx.js";
import {
  createLoader,
  createNetwork,
  dataRoot,
  datasetEntry,
  evaluations,
  FivecropError,
  float32,
  loadClassifier,
  openDataset,
  packPictures,
  serialize,
  subset,
} from "../dist/index.js";
import { initialParameters } from "../dist/models/network.js";
import { markdown, middle, spread } from "./rounds.mjs";
import { startServer } from "./server.mjs";

const ROUNDS = Number(process.env.ROUNDS ?? 5);
const PICTURES = Number(process.env.PICTURES ?? 4000);
const CORES = availableParallelism();
const BATCH = 128;
const { json } = parseArgs({ options: { json: { type: "boolean", default: false } } }).values;
const note = (line) => (json ? console.error(line) : console.log(line));
const python = process.env.PEERS && join(process.env.PEERS, "venv/bin/python");
if (!python || !existsSync(python)) note("PyTorch is not measured: set PEERS to a directory with venv/bin/python.");

/** One epoch of the same files, resized, cropped and normalized alike by Pillow and PyTorch, as torchvision's transforms do it. */
const TORCH = `
import json, sys, time
import numpy as np
import torch
from PIL import Image
files = json.loads(sys.stdin.readline())
mean, std = (torch.tensor(v).view(3, 1, 1) for v in ([0.485, 0.456, 0.406], [0.229, 0.224, 0.225]))
def change(image):
    w, h = image.size
    w, h = (64, 64 * h // w) if w < h else (64 * w // h, 64)
    image = image.resize((w, h), Image.BILINEAR)
    x, y = round((w - 64) / 2), round((h - 64) / 2)
    image = image.crop((x, y, x + 64, y + 64))
    return torch.from_numpy(np.array(image)).permute(2, 0, 1).contiguous().float().div(255).sub(mean).div(std)
class Pictures(torch.utils.data.Dataset):
    def __len__(self): return len(files)
    def __getitem__(self, i): return change(Image.open(files[i]).convert("RGB")), 0
loader = torch.utils.data.DataLoader(Pictures(), batch_size=${BATCH}, shuffle=True, num_workers=2)
print("{}", flush=True)
for _ in sys.stdin:
    start = time.perf_counter()
    for images, labels in loader: pass
    print(json.dumps({"rate": len(files) / (time.perf_counter() - start)}), flush=True)
`;

const rateOf = async (pictures, work) => {
  const start = performance.now();
  await work();
  return (1e3 * pictures) / (performance.now() - start);
};

/** Every file decoded by sharp and thrown away, two files at once for each core. */
async function bareDecoding(files) {
  let next = 0;
  const work = async () => {
    while (next < files.length)
      await sharp(await readFile(files[next++]), { ignoreIcc: true })
        .raw()
        .toBuffer();
  };
  await Promise.all(Array.from({ length: 2 * CORES }, work));
}

async function epochOf(loader, preprocess, epoch) {
  const plan = { batchSize: BATCH, seed: 0, epoch, shuffle: true, preprocess, augmentations: [], labelSmoothing: 0, firstBatch: 0 };
  for await (const batch of loader.batches(plan)) if (!batch.labels.length) throw new Error("a batch without images");
}

async function pictures() {
  const { defaultPreprocess: preprocess } = await datasetEntry("miniplaces");
  const all = await openDataset({ name: "miniplaces", root: dataRoot(), split: "train" });
  const dataset = subset(
    all,
    Uint32Array.from({ length: Math.min(PICTURES, all.length) }, (_, i) => Math.floor((i * all.length) / PICTURES)),
  );
  const files = Array.from({ length: dataset.length }, (_, i) => dataset.file(i));
  const torch = python && existsSync(python) && startServer(python, ["-c", TORCH]);
  try {
    return await epochs(dataset, { preprocess, files, torch });
  } finally {
    if (torch) torch.quit();
  }
}

async function epochs(dataset, { preprocess, files, torch }) {
  if (torch) await torch.ask(JSON.stringify(files));
  const rates = { pictures: files.length, bare: [], first: [], later: [], torch: [] };
  for (let round = -1; round < ROUNDS; round++) {
    const cache = mkdtempSync(join(tmpdir(), "fivecrop-bench-"));
    try {
      const bare = await rateOf(files.length, () => bareDecoding(files));
      let loader;
      const first = await rateOf(files.length, async () => {
        const steps = packPictures(dataset, preprocess, { cache });
        let step = await steps.next();
        while (!step.done) step = await steps.next();
        loader = createLoader(step.value.dataset);
        await epochOf(loader, preprocess, 0);
      });
      const later = await rateOf(files.length, () => epochOf(loader, preprocess, 1));
      await loader.dispose();
      const other = torch && (await torch.ask("epoch")).rate;
      if (round < 0) continue; // everything is warm
      rates.bare.push(bare);
      rates.first.push(first);
      rates.later.push(later);
      if (torch) rates.torch.push(other);
    } finally {
      rmSync(cache, { recursive: true });
    }
  }
  return rates;
}

async function evaluation() {
  const dataset = await openDataset({ name: "fashion-mnist", root: dataRoot(), split: "test" });
  const { defaultPreprocess: preprocess } = await datasetEntry("fashion-mnist");
  const network = createNetwork("fashion-cnn");
  const bytes = serialize(setWeights(network.graph, initialParameters(network, 0)));
  const classifier = await loadClassifier(bytes, { labels: dataset.classNames, preprocess, workers: 0 });
  const session = await createSession(bytes);
  const size = 64;
  const images = float32(new Float32Array(size * 28 * 28).fill(0.3), [size, 1, 28, 28]);
  const rates = { bare: [], evaluated: [] };
  for (let round = -1; round < ROUNDS; round++) {
    const bare = await rateOf(dataset.length, async () => {
      for (let done = 0; done < dataset.length; done += size) await session.run({ [session.inputs[0].name]: images });
    });
    const evaluated = await rateOf(dataset.length, () => evaluations(classifier, dataset));
    if (round < 0) continue;
    rates.bare.push(bare);
    rates.evaluated.push(evaluated);
  }
  await classifier.dispose();
  await session.dispose();
  return rates;
}

/** @returns undefined where its data are not there, which is said. */
async function whereThere(part) {
  try {
    return await part();
  } catch (error) {
    if (!(error instanceof FivecropError)) throw error;
    note(`Not measured: ${error.message}`);
    return undefined;
  }
}

const row = (name, ours, theirs) => {
  const ratios = theirs.map((rate, i) => ours[i] / rate);
  return [name, spread(ours, 0), spread(theirs, 0), spread(ratios, 2)];
};
const places = await whereThere(pictures);
const fashion = await whereThere(evaluation);
if (json) {
  const medians = (rates) =>
    rates && Object.fromEntries(Object.entries(rates).map(([key, of]) => [key, Array.isArray(of) ? middle(of) : of]));
  console.log(JSON.stringify({ rounds: ROUNDS, cores: CORES, miniplaces: medians(places), fashion_mnist: medians(fashion) }));
} else {
  const rows = [];
  if (places) {
    rows.push(row("first epoch over JPEGs, beside sharp's bare decoding", places.first, places.bare));
    rows.push(row("later epochs, beside a DataLoader with 2 workers", places.later, places.torch));
  }
  if (fashion) rows.push(row("evaluation of Fashion-MNIST, beside the bare session", fashion.evaluated, fashion.bare));
  if (rows.length) console.log(markdown([["pictures a second", "ours", "beside", "ratio"], ...rows]));
  const read = places ? `, ${places.pictures} pictures of MiniPlaces` : "";
  console.log(`${ROUNDS} rounds, medians with the least and the most; ${CORES} cores${read}`);
}
