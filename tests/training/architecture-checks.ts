import { expect } from "vitest";
import { createSession } from "../../core/session.node.ts";
import type { Tensor } from "../../core/tensor.ts";
import { classCount } from "../../models/network.ts";
import type { PreprocessSpec } from "../../pipeline/preprocess.ts";
import { createOnnxRuntimeEngine } from "../../training/engines/onnxruntime.ts";
import { trainedModel } from "../../training/export-trained.ts";
import { sgd } from "../../training/optimizers.ts";
import { run } from "../export/graphs.ts";
import { type ArchitectureName, imageOf, smallNetwork } from "../models/small.ts";
import { batchOf } from "./batch-of.ts";

/** The step's session of these takes 10 to 20 seconds to create: they are checked in tests/end-to-end. */
export const SLOW_ARCHITECTURES: readonly ArchitectureName[] = ["densenet169"];

/** Softmax of each row. */
function probabilities({ shape, data }: Tensor): number[] {
  const [count, classes] = shape;
  return Array.from({ length: count }, (_, row) => {
    const logits = Array.from(data.slice(row * classes, (row + 1) * classes), Number);
    const largest = Math.max(...logits);
    const powers = logits.map((z) => Math.exp(z - largest));
    const sum = powers.reduce((a, b) => a + b, 0);
    return powers.map((power) => power / sum);
  }).flat();
}

/** Steps on one batch lower the loss of an architecture, and its exported file answers as the engine does. */
export async function checkArchitecture(name: ArchitectureName): Promise<void> {
  const network = smallNetwork(name);
  const input = imageOf(network);
  const classes = classCount(network);
  const engine = createOnnxRuntimeEngine({ network, optimizer: sgd({ momentum: 0.9 }), createSession });
  await engine.initialize({ seed: 3 });
  const batch = batchOf(8, input, classes);
  const losses: number[] = [];
  for (let i = 0; i < 5; i++) losses.push((await engine.train([batch], [0.02]))[0].loss);
  expect(losses.at(-1)!).toBeLessThan(losses[0]);

  const { images } = batchOf(3, input, classes, 2);
  const expected = await engine.predict(images);
  const state = await engine.state();
  await engine.dispose();
  const [channels, height, width] = input;
  const plain = Array<number>(channels).fill(0.5);
  const preprocess: PreprocessSpec = {
    resize: null,
    filter: "bilinear",
    crop: [height, width],
    channels: channels as 1 | 3,
    mean: plain,
    std: plain,
  };
  const bytes = trainedModel(network, state, { labels: Array.from({ length: classes }, (_, i) => `class ${i}`), preprocess });
  const [answer] = Object.values(await run(bytes, { images }));
  const wanted = probabilities(expected);
  const worst = probabilities(answer).reduce((largest, p, i) => Math.max(largest, Math.abs(p - wanted[i])), 0);
  expect(worst).toBeLessThan(1e-4);
}
