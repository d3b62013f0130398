// What a training step copies to and from a device, and what keeping the variables there is worth:
// node bench/devices.mjs [DEVICE webgpu] [NET fashion-cnn] [BATCH 60] [SECONDS 5] [FROZEN: nothing, or "backbone": all but the last layer]

import { random } from "../dist/core/random.js";
import { createSession } from "../dist/core/session.node.js";
import { tensor, zeros } from "../dist/core/tensor.js";
import { createNetwork } from "../dist/models/architectures/index.js";
import { freeze } from "../dist/models/freeze.js";
import { classCount } from "../dist/models/network.js";
import { createOnnxRuntimeEngine } from "../dist/training/engines/onnxruntime.js";
import { sgd } from "../dist/training/optimizers.js";
import { median } from "./rounds.mjs";

const [device = "webgpu", name = "fashion-cnn", batch = "60", seconds = "5", frozen] = process.argv.slice(2);
const bytesOf = (tensors) => Object.values(tensors).reduce((sum, { data }) => sum + (data?.byteLength ?? 0), 0);

/** Counts what a session is fed and gives back from this process's memory; without `keep`, everything comes back after each step. */
const counting = (counts, keep) => async (model, options) => {
  const session = await createSession(model, options);
  const run = async (feeds, fetches) => {
    const results = await session.run(feeds, fetches);
    Object.assign(counts, { to: bytesOf(feeds), from: bytesOf(results) });
    return results;
  };
  const runOnDevice = async (feeds, fetches) => {
    const ran = await session.runOnDevice(feeds, fetches);
    Object.assign(counts, { to: bytesOf(feeds), from: bytesOf(ran.results) });
    return ran;
  };
  return { ...session, run, runOnDevice: keep && session.runOnDevice ? runOnDevice : undefined };
};

const created = createNetwork(name);
const network = frozen ? freeze(created, { freeze: frozen, headLayers: 1 }) : created;
const shape = network.graph.inputs[0].shape.slice(1);
const { normal } = random(1);
const size = Number(batch) * shape.reduce((a, b) => a * b);
const images = tensor("float32", [Number(batch), ...shape], Float32Array.from({ length: size }, normal));
const targets = zeros("float32", [Number(batch), classCount(network)]);
for (let i = 0; i < Number(batch); i++) targets.data[i * classCount(network)] = 1;

for (const keep of [true, false]) {
  const counts = {};
  const makeSession = counting(counts, keep);
  // without `keep` nothing is asked to stay on the device, so that it is fetched
  const engineSession = (model, options) => makeSession(model, keep ? options : { ...options, keep: [] });
  const engine = createOnnxRuntimeEngine({ network, optimizer: sgd({ momentum: 0.9 }), createSession: engineSession, device });
  await engine.initialize({ seed: 0 });
  await engine.train([{ images, targets }], [0.01]);
  const time = await median(() => engine.train([{ images, targets }], [0.01]), Number(seconds));
  await engine.dispose();
  const kB = (bytes) => `${(bytes / 1e3).toFixed(1)} kB`;
  const part = frozen ? `, its ${frozen} frozen` : "";
  const where = keep ? "variables where they are computed" : "variables copied each step";
  console.log(
    `${name}(${batch})${part} on ${device}, ${where}: ${time.toFixed(1)} ms a step, to ${kB(counts.to)}, from ${kB(counts.from)}`,
  );
}
