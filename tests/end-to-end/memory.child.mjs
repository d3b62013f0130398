// Trains 2,000 steps and prints the process's resident memory in megabytes after some of them, as JSON.
// usage: node --expose-gc memory.child.mjs DIST [LEAKED_BATCHES_A_STEP]
const [dist, leaked = "0"] = process.argv.slice(2);
const load = (path) => import(`${dist}/${path}.js`);
const { createSession } = await load("core/session.node");
const { createNetwork } = await load("models/architectures/index");
const { createLoader } = await load("pipeline/batches.node");
const { openDataset } = await load("pipeline/datasets/index");
const { FASHION_MNIST_PREPROCESS } = await load("pipeline/datasets/fashion-mnist");
const { createOnnxRuntimeEngine } = await load("training/engines/onnxruntime");
const { fit } = await load("training/fit");
const { createOptimizer } = await load("training/optimizers");

const BATCH = 15; // 400 steps an epoch
const AFTER = [500, 1000, 1500, 2000];
const training = createLoader(await openDataset({ name: "fashion-mnist-sample", root: "", split: "train" }));
const validation = createLoader(await openDataset({ name: "fashion-mnist-sample", root: "", split: "test" }));
const engine = createOnnxRuntimeEngine({ network: createNetwork("fashion-cnn"), optimizer: createOptimizer("adam"), createSession });
const kept = [];
const megabytes = [];
for await (const event of fit(
  engine,
  { training, validation },
  { preprocess: FASHION_MNIST_PREPROCESS, epochs: 5, batchSize: BATCH, learningRate: 0.001 },
)) {
  if (event.kind !== "step") continue;
  for (let i = 0; i < Number(leaked); i++) kept.push(new Float32Array(BATCH * 28 * 28).fill(i + 1));
  if (!AFTER.includes(event.step)) continue;
  globalThis.gc();
  megabytes.push(process.memoryUsage().rss / 1e6);
}
await Promise.all([engine.dispose(), training.dispose(), validation.dispose()]);
console.log(JSON.stringify(megabytes));
