// Our training step on a fixed batch in memory. As a process: node bench/step.mjs --serve, which answers as the peers do
// (build NET · time SECONDS · forward SECONDS · peak SECONDS · quit); node bench/step.mjs --memory NET; node bench/step.mjs --first NET: the seconds from
// the process's start to the end of its first step.

import { random } from "../dist/core/random.js";
import { createSession as onCpu } from "../dist/core/session.node.js";
import { tensor, zeros } from "../dist/core/tensor.js";
import { setWeights } from "../dist/export/export-onnx.js";
import { foldBatchNorm } from "../dist/export/passes/fold-batch-norm.js";
import { removeIdentity } from "../dist/export/passes/remove-identity.js";
import { serialize } from "../dist/export/serialize.js";
import { createNetwork } from "../dist/models/architectures/index.js";
import { classCount } from "../dist/models/network.js";
import { graphBuilder } from "../dist/models/ops/index.js";
import { chooseEngine } from "../dist/training/engines/choose.node.js";
import { createOnnxRuntimeEngine } from "../dist/training/engines/onnxruntime.js";
import { sgd } from "../dist/training/optimizers.js";
import { median } from "./rounds.mjs";
import { serve } from "./server.mjs";
import { operations } from "./work.mjs";

/** The batch sizes that the networks are measured with. */
export const BATCH = {
  "fashion-cnn": 60,
  "lenet-bn": 256,
  minivgg: 128,
  "minivgg-bn": 128,
  "cifar-convnet": 100,
  "mini-resnet": 128,
  "resnet18-gray": 64,
  resnet18: 16,
  alexnet: 32,
  "vgg11-small": 32,
  densenet169: 8,
};
const FORWARD_BATCH = 128;
const THREADS = Number(process.env.THREADS ?? 2);

function normalImages(network, batch) {
  const [, ...shape] = network.graph.inputs[0].shape;
  const { normal } = random(1);
  return tensor("float32", [batch, ...shape], Float32Array.from({ length: batch * shape.reduce((a, b) => a * b) }, normal));
}

/** What ENGINE names computes the steps, and ONNX Runtime where it is left out: sessions of the maker. */
async function makeEngine({ createSession, batch, ...options }) {
  const { ENGINE = "onnxruntime" } = process.env;
  return ENGINE === "onnxruntime"
    ? createOnnxRuntimeEngine({ ...options, createSession })
    : (await chooseEngine({ ...options, engine: ENGINE, batchSize: batch })).create();
}

/** SGD with momentum, as the peers. `warmUp` steps are done when it is given back. */
export async function makeStep(name, { threads = THREADS, batch = BATCH[name] ?? 64, input, warmUp = 3, createSession = onCpu } = {}) {
  const network = createNetwork(name, { input });
  const images = normalImages(network, batch);
  const classes = classCount(network);
  const targets = zeros("float32", [batch, classes]);
  const { integer } = random(2);
  for (let i = 0; i < batch; i++) targets.data[i * classes + integer(classes)] = 1;
  const engine = await makeEngine({ network, optimizer: sgd({ momentum: 0.9 }), createSession, threads, batch });
  await engine.initialize({ seed: 0 });
  const step = () => engine.train([{ images, targets }], [1e-3]);
  for (let i = 0; i < warmUp; i++) await step();
  return { network, batch, engine, step, dispose: () => engine.dispose() };
}

/** The graph that is exported, with its weights inside, on a batch in memory. */
async function makeForward({ network, engine }) {
  const { parameters, state } = await engine.state();
  const session = await onCpu(serialize(foldBatchNorm(removeIdentity(setWeights(network.graph, { ...parameters, ...state })))), {
    threads: THREADS,
  });
  const images = normalImages(network, FORWARD_BATCH);
  const run = () => session.run({ [session.inputs[0].name]: images });
  for (let i = 0; i < 2; i++) await run();
  return run;
}

/** The machine's peak as ONNX Runtime reaches it: a product of two matrices of 2048 × 2048. @returns one product's operations and a run of it */
async function makePeak() {
  const side = 2048;
  const g = graphBuilder();
  const [a, b] = [g.input("a", "float32", [side, side]), g.input("b", "float32", [side, side])];
  const session = await onCpu(serialize(g.build("peak", [g.add("MatMul", [a, b], {}, "product")])), {
    threads: THREADS,
    intoTensors: true,
  });
  const { normal } = random(3);
  const matrix = tensor("float32", [side, side], Float32Array.from({ length: side * side }, normal));
  const product = zeros("float32", [side, side]); // or each run would copy it
  return { operations: 2 * side ** 3, run: () => session.run({ a: matrix, b: matrix }, { product }) };
}

function startServing() {
  let [built, forward, peak] = [];
  return serve(async (verb, argument) => {
    if (verb === "build") {
      built = await makeStep(argument);
      const { forward: once, step } = operations(built.network, built.batch);
      return { built: argument, batch: built.batch, gflop: step / 1e9, forward_gflop: (once / built.batch / 1e9) * FORWARD_BATCH };
    }
    const seconds = Number(argument);
    if (verb === "time") return { ms: await median(built.step, seconds) };
    if (verb === "forward") {
      forward ??= await makeForward(built);
      return { ms: await median(forward, seconds) };
    }
    if (verb === "peak") {
      peak ??= await makePeak();
      return { gflops: peak.operations / 1e6 / (await median(peak.run, seconds)) };
    }
    return { error: `unknown request: ${verb}` };
  });
}

const [mode, name] = process.argv[1] === import.meta.filename ? process.argv.slice(2) : [];
if (mode === "--serve") await startServing();
else if (mode === "--memory") {
  const { dispose } = await makeStep(name);
  console.log(JSON.stringify({ net: name, peak_rss_mb: process.resourceUsage().maxRSS / 1024 }));
  await dispose();
} else if (mode === "--first") {
  const { dispose } = await makeStep(name, { warmUp: 1 });
  console.log(JSON.stringify({ net: name, first_step_s: performance.now() / 1e3 }));
  await dispose();
}
