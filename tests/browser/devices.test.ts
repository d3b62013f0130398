import { afterAll, beforeAll, expect, test } from "vitest";
import { loadClassifier } from "../../inference/classifier.node.ts";
import { makeSelfContained, withGoldenSamples } from "../../inference/golden-samples.node.ts";
import { encodePng } from "../../pipeline/encode.node.ts";
import { model, picture, withMetadata } from "../inference/models.ts";
import { type LibraryPage, openLibrary } from "./library-page.ts";
import { withWrongSamples } from "./spoiled.ts";

const carrying = await withGoldenSamples(withMetadata(model()));

let library: LibraryPage;
beforeAll(async () => {
  library = await openLibrary({ webgpu: true });
});
afterAll(() => library.close());

const refusal = (made: Promise<unknown>): Promise<string> =>
  made.then(
    () => "nothing was refused",
    (error: Error) => error.message,
  );

test.each(["wasm", "webgpu"] as const)("%s replays the golden samples to what the CPU answered", async (device) => {
  const { samples, views, largestDifference, divergence } = await library.verify(carrying, device);
  expect({ samples, views, divergence }).toEqual({ samples: 3, views: "five-crop", divergence: undefined });
  expect(largestDifference).toBeLessThan(1e-5);
});

test("a page's probabilities on WebGPU are Node's, many calls at once", async () => {
  const pictures = await Promise.all(Array.from({ length: 8 }, (_, i) => encodePng(picture(i % 4, i, 20, 16))));
  const classifier = await loadClassifier(carrying);
  const expected = await classifier.classifyBatch(pictures, { views: "ten-crop" });
  await classifier.dispose();
  const found = await library.classify(carrying, pictures, "ten-crop", "webgpu");
  expect(found.length).toBe(8);
  found.forEach((probabilities, i) => {
    expect(Math.max(...probabilities.map((p, k) => Math.abs(p - expected[i].probabilities[k])))).toBeLessThan(1e-5);
  });
});

test("WebGPU is checked before it answers, WebAssembly stands for the processor", async () => {
  expect(await library.check(carrying, "wasm")).toBeUndefined();
  expect(await library.check(carrying, "webgpu")).toMatchObject({ device: "webgpu", against: "golden samples", samples: 3 });
  expect(await library.check(withMetadata(model()), "webgpu")).toMatchObject({ device: "webgpu", against: "wasm", samples: 3 });
});

test("refused: another answer than the file's, what WebGPU cannot run, and what is no device here", async () => {
  const wrong = await refusal(library.check(withWrongSamples(carrying), "webgpu"));
  expect(wrong).toMatch(
    /m\.onnx: webgpu is not used, its answers are wrong: .* differs by 0\.\d+\. First stage that diverges: graph \(shapes\)/,
  );
  const log = withMetadata(model("N", "LogSoftmax"), { outputKind: "log-probabilities" });
  expect(await refusal(library.check(log, "webgpu"))).toContain("WebGPU does not run all of this graph");
  expect(await refusal(library.verify((await makeSelfContained(carrying)).bytes, "webgpu"))).toContain(
    "WebGPU does not run all of this graph",
  );
  expect(await refusal(library.check(carrying, "cpu"))).toContain("device: expected wasm or webgpu, received 'cpu'.");
});

test("a browser without an adapter says so", async () => {
  const without = await openLibrary();
  try {
    expect(await refusal(without.check(carrying, "webgpu"))).toContain("this browser has no ");
  } finally {
    await without.close();
  }
});
