// Our training step on a fixed batch in memory: a maker of timed steps, for the benches beside it.

import { random } from "../dist/core/random.js";
import { createSession } from "../dist/core/session.node.js";
import { tensor, zeros } from "../dist/core/tensor.js";
import { createNetwork } from "../dist/models/architectures/index.js";
import { classCount } from "../dist/models/network.js";
import { createOnnxRuntimeEngine } from "../dist/training/engines/onnxruntime.js";
import { sgd } from "../dist/training/optimizers.js";

/** The batch sizes that the networks are measured with. */
export const BATCH = { "fashion-cnn": 60, "lenet-bn": 256, minivgg: 128, "minivgg-bn": 128 };

export async function makeStep(name, threads = 2) {
  const network = createNetwork(name);
  const batch = BATCH[name];
  const [, ...shape] = network.graph.inputs[0].shape;
  const { normal, integer } = random(1);
  const size = batch * shape.reduce((a, b) => a * b);
  const images = tensor("float32", [batch, ...shape], Float32Array.from({ length: size }, normal));
  const classes = classCount(network);
  const targets = zeros("float32", [batch, classes]);
  for (let i = 0; i < batch; i++) targets.data[i * classes + integer(classes)] = 1;
  const engine = createOnnxRuntimeEngine({ network, optimizer: sgd({ momentum: 0.9 }), createSession, threads });
  await engine.initialize({ seed: 0 });
  const step = () => engine.train([{ images, targets }], [1e-3]);
  for (let i = 0; i < 3; i++) await step();
  return { name, batch, step, predict: () => engine.predict(images), dispose: () => engine.dispose() };
}

/** The median of repeated runs, in milliseconds. */
export async function median(run, seconds) {
  const times = [];
  for (const end = performance.now() + seconds * 1e3; performance.now() < end || times.length < 3; ) {
    const start = performance.now();
    await run();
    times.push(performance.now() - start);
  }
  return times.sort((a, b) => a - b)[times.length >> 1];
}
