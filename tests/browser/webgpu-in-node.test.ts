import { execFile } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { promisify } from "node:util";
import { describe, expect, test } from "vitest";
import { tensor } from "../../core/tensor.ts";
import { appendMetadata, readMetadata } from "../../export/metadata.ts";
import { serialize } from "../../export/serialize.ts";
import { makeSelfContained, withGoldenSamples } from "../../inference/golden-samples.node.ts";
import { graphBuilder } from "../../models/ops/index.ts";
import { FASHION_MNIST_CLASSES } from "../../pipeline/datasets/fashion-mnist.ts";
import { fivecrop, jsonLines, picture, temporaryFolder } from "../cli/run.ts";
import { metadata, model, SIDE, withMetadata } from "../inference/models.ts";
import { softwareAdapter } from "../software-adapter.ts";
import { withWrongSamples } from "./spoiled.ts";

const env = softwareAdapter("WebGPU in Node");
const cwd = await temporaryFolder();
const carrying = await withGoldenSamples(withMetadata(model()));
const card = readMetadata(carrying)!;

/** Ten classes, for Fashion-MNIST: what each of ten fixed patterns of signs sums to. */
function tenClasses(): Uint8Array {
  const g = graphBuilder();
  const flat = g.add("Flatten", [g.input("images", "float32", ["N", 1, SIDE, SIDE])]);
  const weight = Float32Array.from({ length: 10 * SIDE * SIDE }, (_, i) => 0.05 * Math.sin(i * i));
  const logits = g.add("Gemm", [flat, g.initializer("weight", tensor("float32", [10, SIDE * SIDE], weight))], { transB: 1 });
  return withMetadata(serialize(g.build("ten", [logits])), { labels: FASHION_MNIST_CLASSES });
}

const files = {
  "ten.onnx": tenClasses(),
  "carrying.onnx": carrying,
  "bare.onnx": withMetadata(model()),
  "wrong.onnx": withWrongSamples(carrying),
  "mean.onnx": appendMetadata(carrying, { ...card, preprocess: { ...metadata.preprocess, mean: [0.4] } }),
  "log.onnx": await withGoldenSamples(withMetadata(model("N", "LogSoftmax"), { outputKind: "log-probabilities" })),
  "whole.onnx": (await makeSelfContained(carrying)).bytes,
};
for (const [name, bytes] of Object.entries(files)) await writeFile(join(cwd, name), bytes);

const onGpu = (args: readonly string[]) => fivecrop(args, { cwd, env });
const infer = (file: string, device: string) => onGpu(["infer", picture("bag"), "--model", file, "--device", device, "--json"]);

describe.skipIf(!env)("WebGPU in Node, by a software adapter", () => {
  test("verify: both devices, and their numbers", async () => {
    const { code, stdout, stderr } = await onGpu(["verify", "carrying.onnx", "--device", "cpu,webgpu", "--json"]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    const [cpu, gpu] = jsonLines(stdout);
    expect(cpu).toEqual({ model: "carrying.onnx", device: "cpu", views: "five-crop", samples: 3, largestDifference: 0 });
    expect(gpu).toMatchObject({ device: "webgpu", samples: 3 });
    expect(gpu.largestDifference).toBeLessThan(1e-5);
    expect(gpu).not.toHaveProperty("divergence");
  });

  test("infer and evaluate answer as on the cpu", async () => {
    const [cpu, gpu] = await Promise.all(["cpu", "webgpu"].map((device) => infer("carrying.onnx", device)));
    expect([gpu.code, gpu.stderr]).toEqual([0, ""]);
    const [expected, found] = [cpu, gpu].map(({ stdout }) => jsonLines(stdout)[0].predictions as { label: string; probability: number }[]);
    expect(found.map(({ label }) => label)).toEqual(expected.map(({ label }) => label));
    found.forEach(({ probability }, i) => {
      expect(Math.abs(probability - expected[i].probability)).toBeLessThan(1e-5);
    });
    const args = ["evaluate", "ten.onnx", "--data", "fashion-mnist-sample", "--limit", "100", "--json", "--tta", "none,flip", "--device"];
    const evaluated = await Promise.all(["cpu", "webgpu"].map((device) => onGpu([...args, device])));
    const [wanted, got] = evaluated.map(({ stdout }) => jsonLines(stdout) as { views: string; confusion: number[][]; loss: number }[]);
    expect(got.map(({ views, confusion }) => ({ views, confusion }))).toEqual(wanted.map(({ views, confusion }) => ({ views, confusion })));
    got.forEach(({ loss }, i) => {
      expect(loss).toBeCloseTo(wanted[i].loss, 5);
    });
  });

  test.each(["cpu", "webgpu"])("%s: samples that say otherwise, with the numbers and the stage", async (device) => {
    const { code, stdout } = await onGpu(["verify", "wrong.onnx", "--device", device, "--json"]);
    expect(code).toBe(1);
    expect(jsonLines(stdout)).toMatchObject([{ device, divergence: { stage: "graph", sample: "shapes", expected: "at most 0.0001" } }]);
  });

  test.each([
    [
      "wrong.onnx",
      /wrong\.onnx: webgpu is not used, its answers are wrong: compared with its golden samples, a probability differs by 0\.\d+\. First stage that diverges: graph \(shapes\): expected at most 0\.0001, found 0\.\d+\. To fix: choose the device cpu\.\n$/,
    ],
    ["mean.onnx", /First stage that diverges: normalization \(shapes, center\): expected [0-9a-f]{8}, found [0-9a-f]{8}\./],
    ["log.onnx", /WebGPU does not run all of this graph: LogSoftmax \(node 'LogSoftmax'\) would run on the cpu\./],
    ["whole.onnx", /whole\.onnx is self-contained/],
  ])("%s is refused on WebGPU before its first answer", async (file, message) => {
    const { stdout, stderr, code } = await infer(file, "webgpu");
    expect(stdout).toBe("");
    expect(stderr).toMatch(message);
    expect(code).toBe(file === "whole.onnx" ? 2 : 1);
    expect((await infer(file, "cpu")).code).toBe(0);
  });

  test("where no profile can be written, the refusal names no operator", async () => {
    const args = ["infer", picture("bag"), "--model", "log.onnx", "--device", "webgpu"];
    const { code, stderr } = await fivecrop(args, { cwd, env: { ...env, TMPDIR: join(cwd, "none"), TEMP: join(cwd, "none") } });
    expect(stderr).toContain(
      "WebGPU does not run all of this graph: some of its operators would run on the cpu. To fix: choose the device cpu.",
    );
    expect(code).toBe(1);
  });

  test("a file without samples is compared with the cpu, which is said", async () => {
    const { code, stdout, stderr } = await infer("bare.onnx", "webgpu");
    expect([code, jsonLines(stdout).length]).toEqual([0, 1]);
    expect(stderr).toMatch(
      /^fivecrop: bare\.onnx carries no golden samples: webgpu was compared with cpu on 3 generated pictures \(largest difference of a probability: \S+\)\.\n$/,
    );
  });

  test("verify of a self-contained file says why not", async () => {
    const { code, stderr } = await onGpu(["verify", "whole.onnx", "--device", "webgpu"]);
    expect(code).toBe(1);
    expect(stderr).toContain("whole.onnx is self-contained: its graph resizes 8-bit pictures, for which webgpu has no operators");
  });

  test("many sessions of one process share a thread: at once, in turn, and with no thread of ours", async () => {
    const script = `
      const { loadClassifier } = await import("${pathToFileURL(resolve(import.meta.dirname, "../../dist/index.js"))}");
      const load = (workers) => loadClassifier("carrying.onnx", { device: "webgpu", workers });
      const classifiers = await Promise.all([load(2), load(0), load(2)]);
      const ask = () => Promise.all(classifiers.flatMap((each) => Array.from({ length: 8 }, () => each.classify(${JSON.stringify(picture("bag"))}))));
      const first = await ask();
      await classifiers.shift().dispose();
      const answers = [...first, ...(await ask())].map(({ probabilities }) => [...probabilities].join());
      const ending = Promise.all(classifiers.map((each) => each.dispose()));
      const again = await load(1);
      const { device, deviceCheck } = again;
      await Promise.all([ending, again.dispose()]);
      console.log(JSON.stringify({ answers: answers.length, different: new Set(answers).size, device, deviceCheck }));`;
    const run = promisify(execFile)(process.execPath, ["--input-type=module", "-e", script], { cwd, env: { ...process.env, ...env } });
    const { answers, different, device, deviceCheck } = JSON.parse((await run).stdout);
    expect({ answers, device }).toEqual({ answers: 40, device: "webgpu" });
    expect(different).toBeLessThanOrEqual(3); // batches of other sizes may sum in another order
    expect(deviceCheck).toMatchObject({ device: "webgpu", against: "golden samples", samples: 3 });
  });
});

test.skipIf(process.platform !== "linux")(
  "without an adapter that is said, the other devices have their turn, and the exit code is 1",
  async () => {
    const none = { VK_ICD_FILENAMES: join(cwd, "none.json") };
    const verify = await fivecrop(["verify", "carrying.onnx", "--device", "webgpu,cpu"], { cwd, env: none });
    expect(verify.code).toBe(1);
    expect(verify.stdout).toBe(
      "carrying.onnx: 3 golden samples, five-crop, on cpu\n  largest difference of a probability: 0\n  every stage agrees\n",
    );
    expect(verify.stderr).toContain(
      "fivecrop: webgpu: carrying.onnx: WebGPU is not to be had on this machine: expected a graphics adapter",
    );
    const args = ["infer", picture("bag"), "--model", "carrying.onnx", "--device", "webgpu"];
    const infer = await fivecrop(args, { cwd, env: none });
    expect([infer.code, infer.stdout]).toEqual([1, ""]);
    expect(infer.stderr).toContain("To fix: install the driver, or choose the device cpu.");
  },
);
