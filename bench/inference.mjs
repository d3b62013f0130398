// From files to probabilities, beside the bare session fed from memory and Python's usual parts, interleaved in one run: npm run bench:inference
// MODEL and LABELS name SqueezeNet and its classes, IMAGES a folder of JPEGs. PEERS names the directory that holds venv/bin/python, PEER_SCRIPT the
// peer. WORKERS, SESSIONS and THREADS are loadClassifier's, as `infer` has them on a folder where they are left out; ROUNDS and PICTURES (of a round) say how long it takes.
import { execFileSync } from "node:child_process";
import { existsSync, linkSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import { basename, join } from "node:path";
import { createSession } from "../dist/core/session.node.js";
import { tensor } from "../dist/core/tensor.js";
import { setWeights } from "../dist/export/export-onnx.js";
import { classifyFiles, layers, loadClassifier, network, pictureFiles, serialize } from "../dist/index.js";
import { forMany } from "../dist/inference/classifier.node.js";
import { initialParameters } from "../dist/models/network.js";
import { spread } from "./rounds.mjs";

const shared = join(import.meta.dirname, "../../shared");
const env = (name, otherwise) => process.env[name] ?? otherwise;
const numberOf = (name) => (process.env[name] === undefined ? undefined : Number(process.env[name]));
const ROUNDS = numberOf("ROUNDS") ?? 7;
const PICTURES = numberOf("PICTURES") ?? 96;
const BATCH = 16;
const imagenet = { filter: "bilinear", channels: 3, mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] };
const folder = mkdtempSync(join(tmpdir(), "fivecrop-bench-"));

/** The pictures of IMAGES, over and over until there are enough, each as a file of its own. */
async function layOutPictures() {
  const sources = [];
  for await (const file of pictureFiles([env("IMAGES", join(shared, "data/photos"))])) sources.push(file);
  const pictures = join(folder, "pictures");
  mkdirSync(pictures);
  for (let i = 0; i < PICTURES; i++) {
    const source = sources[i % sources.length];
    const target = join(pictures, `${String(i).padStart(6, "0")}-${basename(source)}`);
    if (statSync(source).dev === statSync(folder).dev) linkSync(source, target);
    else writeFileSync(target, readFileSync(source));
  }
  return pictures;
}

/** Two convolutions on 64 × 64 pixels: reading a picture costs far more. */
function smallNetwork() {
  const { conv2d, flatten, linear, maxPool2d, relu, sequential } = layers;
  const parts = {
    conv1: conv2d(8, 3, { padding: 1 }),
    relu1: relu,
    pool1: maxPool2d(4),
    conv2: conv2d(16, 3),
    relu2: relu,
    pool2: maxPool2d(2),
  };
  return network("small", sequential({ ...parts, flatten, fc: linear(10) }), { input: [3, 64, 64] });
}

function models() {
  const model = env("MODEL", join(shared, "models/squeezenet1.1-imagenet.onnx"));
  const labels = Object.values(JSON.parse(readFileSync(env("LABELS", join(shared, "models/imagenet-labels.json")), "utf8")));
  const small = smallNetwork();
  const file = join(folder, "small.onnx");
  const preprocess = { ...imagenet, resize: 72, crop: [64, 64] };
  writeFileSync(file, serialize(setWeights(small.graph, initialParameters(small, 1))));
  return [
    { name: "squeezenet", file: model, options: { labels, preprocess: { ...imagenet, resize: 256, crop: [224, 224] } } },
    { name: "small", file, options: { labels: Array.from({ length: 10 }, (_, i) => `class ${i}`), preprocess } },
  ];
}

/** Pictures a second of the session alone, over and over on one batch in memory, with so many threads. */
async function bare({ file, options: { preprocess } }, views, threads) {
  const session = await createSession(readFileSync(file), { threads });
  const pictures = Math.max(1, Math.floor(BATCH / views));
  const shape = [pictures * views, preprocess.channels, ...preprocess.crop];
  const batch = tensor("float32", shape, new Float32Array(shape.reduce((a, b) => a * b)).fill(0.3));
  const run = () => session.run({ [session.inputs[0].name]: batch });
  await run();
  const rate = async (milliseconds) => {
    let done = 0;
    const start = performance.now();
    while (performance.now() - start < milliseconds) {
      await run();
      done += pictures;
    }
    return (done / (performance.now() - start)) * 1e3;
  };
  return { rate, dispose: () => session.dispose() };
}

async function ours({ file, options }, views, pictures) {
  const asked = { workers: numberOf("WORKERS"), sessions: numberOf("SESSIONS"), threads: numberOf("THREADS") };
  const given = Object.fromEntries(Object.entries(asked).filter(([, value]) => value !== undefined));
  const classifier = await loadClassifier(file, { ...options, ...forMany(readFileSync(file), { files: true }), ...given });
  const rate = async () => {
    let done = 0;
    const start = performance.now();
    for await (const { error } of classifyFiles(classifier, pictureFiles([pictures]), { views })) {
      if (error) throw error;
      done++;
    }
    return (done / (performance.now() - start)) * 1e3;
  };
  await rate();
  return { rate, dispose: () => classifier.dispose() };
}

const python = process.env.PEERS && join(process.env.PEERS, "venv/bin/python");
const script = env("PEER_SCRIPT", join(shared, "peers/infer_python.py"));
const hasPeer = Boolean(python && existsSync(python) && existsSync(script));

function peer({ file, options: { preprocess } }, views, pictures) {
  const sizes = ["--resize", String(preprocess.resize), "--crop", String(preprocess.crop[0])];
  const output = execFileSync(python, [script, file, pictures, "--tta", views, "--batch", String(BATCH), ...sizes], { encoding: "utf8" });
  return JSON.parse(output).images_per_second;
}

if (!hasPeer) console.log("Python is not measured: set PEERS to a directory with venv/bin/python, and PEER_SCRIPT to its script.");
const cores = availableParallelism();
console.log(`pictures a second, median (least … most) of ${ROUNDS} rounds of ${PICTURES} pictures; ${cores} cores`);
try {
  const pictures = await layOutPictures();
  for (const model of models())
    for (const [views, count] of [
      ["none", 1],
      ["five-crop", 5],
    ]) {
      const one = await bare(model, count, 1);
      const all = await bare(model, count, cores);
      const files = await ours(model, views, pictures);
      const rates = { files: [], one: [], all: [], peer: [] };
      for (let round = 0; round < ROUNDS; round++) {
        rates.one.push(await one.rate(700));
        rates.files.push(await files.rate());
        rates.all.push(await all.rate(700));
        if (hasPeer) rates.peer.push(peer(model, views, pictures));
      }
      await Promise.all([one.dispose(), all.dispose(), files.dispose()]);
      const ratios = (others) =>
        spread(
          rates.files.map((rate, i) => rate / others[i]),
          2,
        );
      console.log(`${model.name}, ${views}: from files ${spread(rates.files, 1)}`);
      console.log(`  bare session, 1 thread   ${spread(rates.one, 1).padEnd(26)} ratio ${ratios(rates.one)}`);
      console.log(`  bare session, ${cores} threads  ${spread(rates.all, 1).padEnd(26)} ratio ${ratios(rates.all)}`);
      if (hasPeer) console.log(`  Python                   ${spread(rates.peer, 1).padEnd(26)} ratio ${ratios(rates.peer)}`);
    }
} finally {
  rmSync(folder, { recursive: true });
}
