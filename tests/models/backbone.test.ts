import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { expect, test } from "vitest";
import { createSession } from "../../core/session.node.ts";
import { float32, type Tensor, tensor } from "../../core/tensor.ts";
import { toFloat32 } from "../../export/half.ts";
import { parse } from "../../export/parse.ts";
import { serialize } from "../../export/serialize.ts";
import { BACKBONES } from "../../models/backbones.ts";
import type { Graph } from "../../models/graph/graph.ts";
import { l2Normalize } from "../../models/layers/l2-normalize.ts";
import { network } from "../../models/network.ts";
import { classifierNetwork, networkOnBackbone } from "../../models/on-backbone.ts";
import { readBackbone } from "../../models/pretrained.node.ts";
import { normal } from "../export/graphs.ts";
import { needFile } from "../needs.ts";

const backbone = BACKBONES["mobilenetv2-features"];

async function run(model: Uint8Array, feed: Tensor): Promise<Float32Array> {
  const session = await createSession(model);
  try {
    const { [session.outputs[0].name]: found } = await session.run({ [session.inputs[0].name]: feed });
    return found.data as Float32Array;
  } finally {
    await session.dispose();
  }
}

const original = resolve(import.meta.dirname, "../../../shared/models", backbone.file);
test.skipIf(!needFile(original, "the shipped backbone is the file that was received"))("is the file that was received", async () => {
  expect(Buffer.compare(await readBackbone(backbone), readFileSync(original))).toBe(0);
});

test("is what its row says", async () => {
  const { inputs, outputs } = parse(await readBackbone(backbone));
  expect([inputs[0].shape, outputs[0].shape]).toEqual([
    ["N", ...backbone.input],
    ["N", backbone.features],
  ]);
});

/** The nearest float16 of each number, ties to even. */
function rounded(numbers: Float32Array): Float32Array<ArrayBuffer> {
  const halves = Uint16Array.from(numbers, (x) => {
    const exponent = Math.max(-14, Math.floor(Math.log2(Math.abs(x) || 2 ** -24)));
    const unit = 2 ** (exponent - 10);
    const quotient = Math.abs(x) / unit;
    const floor = Math.floor(quotient);
    const up = quotient - floor > 0.5 || (quotient - floor === 0.5 && floor % 2 === 1) ? 1 : 0;
    return (x < 0 ? 0x8000 : 0) + ((exponent + 14) << 10) + floor + up;
  });
  return toFloat32("F16", new Uint8Array(halves.buffer));
}

test("rounding to float16 is what toFloat32 reads", () => {
  expect(Array.from(rounded(Float32Array.from([0, 1, -1.5, 1 / 3, 6e-8, 65504, 1 + 2 ** -11, 1 + 3 * 2 ** -11])))).toEqual([
    0,
    1,
    -1.5,
    0.333251953125,
    2 ** -24,
    65504,
    1,
    1 + 2 ** -9,
  ]);
});

test("ships float32: with float16 weights its features are more than a thousandth off", async () => {
  const graph = parse(await readBackbone(backbone));
  const halved: Graph = {
    ...graph,
    initializers: new Map(
      Array.from(graph.initializers, ([value, t]) =>
        t.shape.length === 4 ? [value, tensor("float32", t.shape, rounded(t.data as Float32Array))] : [value, t],
      ),
    ),
  };
  const images = normal([1, ...backbone.input], 4);
  const [exact, off] = [await run(serialize(graph), images), await run(serialize(halved), images)];
  const error = exact.reduce((worst, x, i) => Math.max(worst, Math.abs(x - off[i])), 0) / Math.max(...exact);
  expect(error).toBeGreaterThan(1e-3);
  expect(error).toBeLessThan(0.05);
});

test("rows are normalized to one length, and a row of zeros stays zero", async () => {
  const { graph } = network("rows", (x, scope) => l2Normalize(16)(scope.graph.add("Flatten", [x]), scope.child("normalize")), {
    input: [2, 1, 1],
  });
  const found = await run(serialize(graph), float32([3, 4, 0, 0, -1e-3, 0], [3, 2, 1, 1]));
  [9.6, 12.8, 0, 0, -16, 0].forEach((wanted, i) => {
    expect(found[i]).toBeCloseTo(wanted, 4);
  });
});

test("what is exported has the weights of what is trained", async () => {
  const graph = parse(await readBackbone(backbone));
  for (const hidden of [[], [32]]) {
    const [whole, trained] = [networkOnBackbone("n", graph, 5, { hidden }), classifierNetwork("n", backbone, 5, { hidden })];
    const weights = (parameters: ReadonlyMap<{ readonly name: string; readonly shape: readonly unknown[] }, unknown>) =>
      Array.from(parameters.keys(), ({ name, shape }) => `${name} ${shape}`);
    expect(weights(whole.parameters)).toEqual(weights(trained.parameters));
    expect(weights(trained.parameters)).toContain(hidden.length ? "fc.2.weight 5,32" : "fc.weight 5,1280");
    expect(whole.graph.outputs[0].shape).toEqual(["N", 5]);
  }
});
