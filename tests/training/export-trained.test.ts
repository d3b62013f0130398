import { expect, test } from "vitest";
import { random } from "../../core/random.ts";
import { createSession } from "../../core/session.node.ts";
import { readMetadata } from "../../export/metadata.ts";
import { exportTrained } from "../../index.ts";
import { batchNorm, conv2d, flatten, linear, relu, sequential } from "../../models/layers/index.ts";
import { network } from "../../models/network.ts";
import { inMemory } from "../../pipeline/dataset.ts";
import { createImage } from "../../pipeline/image.ts";
import type { PreprocessSpec } from "../../pipeline/preprocess.ts";
import { createOnnxRuntimeEngine } from "../../training/engines/onnxruntime.ts";
import { sgd } from "../../training/optimizers.ts";
import { batchOf } from "./batch-of.ts";

const { integer } = random(3);
const labels = Array.from({ length: 70 }, (_, i) => i % 3);
const images = labels.map(() =>
  createImage(
    6,
    6,
    1,
    Uint8Array.from({ length: 36 }, () => integer(256)),
  ),
);
const dataset = inMemory({ name: "noise", classNames: ["a", "b", "c"], images, labels });
const preprocess: PreprocessSpec = { resize: null, filter: "bilinear", crop: [6, 6], channels: 1, mean: [0.5], std: [0.5] };
const net = network("small", sequential([conv2d(4, 3), batchNorm, relu, flatten, linear(3)]), { input: [1, 6, 6] });

test("the file is compared with the engine on the data set's images, and differing weights are no file", async () => {
  const engine = createOnnxRuntimeEngine({ network: net, optimizer: sgd(), createSession });
  await engine.initialize({ seed: 1 });
  const before = await engine.state();
  await engine.train([batchOf(8, [1, 6, 6], 3)], [0.5]);
  const metadata = readMetadata(await exportTrained(engine, dataset, { preprocess }));
  expect(metadata).toMatchObject({ labels: ["a", "b", "c"], preprocess, architecture: "small" });
  expect(readMetadata(await exportTrained(engine, dataset, { preprocess, labels: ["x", "y", "z"] }))?.labels).toEqual(["x", "y", "z"]);

  const stale = { ...engine, state: async () => before };
  await expect(exportTrained(stale, dataset, { preprocess })).rejects.toThrow(
    /^the exported model differs from the trained network by .* expected at most 0\.0001\. The file is not to be used\.$/,
  );
  await engine.dispose();
});
