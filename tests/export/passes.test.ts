import { describe, expect, test } from "vitest";
import { float32 } from "../../core/tensor.ts";
import { foldBatchNorm } from "../../export/passes/fold-batch-norm.ts";
import { removeIdentity } from "../../export/passes/remove-identity.ts";
import type { GraphBuilder } from "../../models/graph/builder.ts";
import { factorOf, type Graph, isOfBatch, type Value } from "../../models/graph/graph.ts";
import { graphBuilder } from "../../models/ops/index.ts";
import { classifier, difference, normal, run } from "./graphs.ts";

const ops = (graph: Graph) => graph.nodes.map(({ op }) => op);

/** The largest difference of two graphs' outputs on the same images. */
async function compare(before: Graph, after: Graph): Promise<number> {
  const feeds = Object.fromEntries(
    before.inputs.map(({ name, shape }) => [
      name,
      normal(
        shape.map((d) => (isOfBatch(d) ? 3 * factorOf(d) : d)),
        99,
      ),
    ]),
  );
  const [a, b] = [await run(before, feeds), await run(after, feeds)];
  expect(after.outputs.map(({ name }) => name)).toEqual(before.outputs.map(({ name }) => name));
  return Math.max(...before.outputs.map(({ name }) => difference(a[name], b[name])));
}

function norm(g: GraphBuilder, x: Value, channels: number, name = "bn"): Value {
  const held = (part: string, seed: number, scale: number, shift: number) =>
    g.initializer(`${name}.${part}`, normal([channels], seed, scale, shift));
  return g.add(
    "BatchNormalization",
    [x, held("weight", 1, 0.2, 1), held("bias", 2, 1, 0), held("running_mean", 3, 1, 0), held("running_var", 4, 0.1, 1)],
    {},
    name,
  );
}

const built = (input: readonly (number | "N")[], build: (g: GraphBuilder, x: Value) => readonly Value[]): Graph => {
  const g = graphBuilder();
  return g.build("case", build(g, g.input("x", "float32", input)));
};

describe("fold batch norm", () => {
  test("into Conv with a bias: names stay, the statistics go", async () => {
    const before = classifier();
    const after = foldBatchNorm(before);
    expect(ops(after)).toEqual(ops(before).filter((op) => op !== "BatchNormalization"));
    expect(Array.from(after.initializers.keys(), ({ name }) => name).sort()).toEqual([
      "axes",
      "constant/6",
      "conv.bias",
      "conv.weight",
      "fc.bias",
      "fc.weight",
      "pads",
    ]);
    expect(await compare(before, after)).toBeLessThan(2e-6);
    expect(ops(before)).toContain("BatchNormalization");
  });

  test("into grouped Conv without a bias, which gets one", async () => {
    const before = built(["N", 4, 6, 6], (g, x) => {
      const weight = g.initializer("conv.weight", normal([8, 2, 3, 3], 1, 0.3));
      return [norm(g, g.add("Conv", [x, weight], { kernel_shape: [3, 3], group: 2 }), 8)];
    });
    const after = foldBatchNorm(before);
    expect(ops(after)).toEqual(["Conv"]);
    expect(after.nodes[0].inputs[2]?.name).toBe("conv.bias");
    expect(await compare(before, after)).toBeLessThan(5e-6);
  });

  test.each([0, 1])("into Gemm with transB %i, alpha 0.5", async (transB) => {
    const before = built(["N", 5], (g, x) => {
      const weight = g.initializer("fc.weight", normal(transB ? [4, 5] : [5, 4], 1));
      return [norm(g, g.add("Gemm", [x, weight, g.initializer("fc.bias", normal([4], 5))], { transB, alpha: 0.5 }), 4)];
    });
    const after = foldBatchNorm(before);
    expect(ops(after)).toEqual(["Gemm"]);
    expect(await compare(before, after)).toBeLessThan(5e-6);
  });

  test("two convolutions that share a weight each get their own", async () => {
    const before = built(["N", 2, 5, 5], (g, x) => {
      const weight = g.initializer("shared.weight", normal([2, 2, 3, 3], 1, 0.3));
      const conv = (y: Value, name: string) => norm(g, g.add("Conv", [y, weight], { kernel_shape: [3, 3] }), 2, name);
      return [conv(conv(x, "bn1"), "bn2")];
    });
    const after = foldBatchNorm(before);
    expect(ops(after)).toEqual(["Conv", "Conv"]);
    expect(after.initializers.size).toBe(4);
    expect(await compare(before, after)).toBeLessThan(5e-6);
  });

  test.each<[string, (g: GraphBuilder, x: Value) => readonly Value[]]>([
    [
      "whose output is read elsewhere too",
      (g, x) => {
        const y = g.add("Conv", [x, g.initializer("w", normal([2, 2, 1, 1], 1))], { kernel_shape: [1, 1] });
        return [g.add("Add", [norm(g, y, 2), y])];
      },
    ],
    [
      "whose output is given",
      (g, x) => {
        const y = g.add("Conv", [x, g.initializer("w", normal([2, 2, 1, 1], 1))], { kernel_shape: [1, 1] });
        return [norm(g, y, 2), y];
      },
    ],
    [
      "whose weight is computed",
      (g, x) => {
        const w = g.add("Neg", [g.initializer("w", normal([2, 2, 1, 1], 1))]);
        return [norm(g, g.add("Conv", [x, w], { kernel_shape: [1, 1] }), 2)];
      },
    ],
    ["of another operator", (g, x) => [norm(g, g.add("Relu", [x]), 2)]],
  ])("not into a node %s", async (_, build) => {
    const before = built(["N", 2, 4, 4], build);
    const after = foldBatchNorm(before);
    expect(ops(after)).toEqual(ops(before));
    expect(await compare(before, after)).toBe(0);
  });
});

describe("remove identity", () => {
  const dropout = (g: GraphBuilder, x: Value) => g.add("Dropout", [x, g.initializer("ratio", float32([0.5], []))]);

  test("chains in the middle, with the initializers that only they read", async () => {
    const before = built(["N", 3], (g, x) => [g.add("Relu", [dropout(g, g.add("Identity", [g.add("Identity", [x])]))])]);
    const after = removeIdentity(before);
    expect(ops(after)).toEqual(["Relu"]);
    expect(after.initializers.size).toBe(0);
    expect(await compare(before, after)).toBe(0);
  });

  test("at the end: the output keeps its name, whoever else reads the value", async () => {
    const before = built(["N", 3], (g, x) => {
      const y = g.add("Relu", [x], {}, "y");
      const z = g.add("Identity", [g.add("Identity", [y])], {}, "logits");
      return [g.add("Neg", [y]), z];
    });
    const after = removeIdentity(before);
    expect(ops(after)).toEqual(["Relu", "Neg"]);
    expect(await compare(before, after)).toBe(0);
  });

  test("stays where a name would be lost: an input given as it is, one value given twice", async () => {
    const input = built(["N", 3], (g, x) => [g.add("Identity", [x])]);
    expect(ops(removeIdentity(input))).toEqual(["Identity"]);
    const twice = built(["N", 3], (g, x) => {
      const y = g.add("Relu", [x]);
      return [g.add("Identity", [y]), g.add("Identity", [y])];
    });
    const after = removeIdentity(twice);
    expect(ops(after)).toEqual(["Relu", "Identity"]);
    expect(await compare(twice, after)).toBe(0);
  });

  test("of a graph that is to be trained only Identity goes", () => {
    const graph = built(["N", 3], (g, x) => [g.add("Relu", [dropout(g, g.add("Identity", [x]))])]);
    expect(ops(removeIdentity(graph, { toTrain: true }))).toEqual(["Dropout", "Relu"]);
  });
});
