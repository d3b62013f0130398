import { expect, test } from "vitest";
import { random } from "../../core/random.ts";
import type { GraphBuilder } from "../../models/graph/builder.ts";
import { knownShape, type Value } from "../../models/graph/graph.ts";
import { graphBuilder } from "../../models/ops/index.ts";
import { addInGemm } from "../../training/step/add-in-gemm.ts";
import { array64 } from "../reference/array.ts";
import { interpret } from "../reference/interpret.ts";

interface Values {
  readonly product: Value;
  readonly velocity: Value;
  readonly factor: Value;
}

function written(outputs: (g: GraphBuilder, values: Values) => Value[]) {
  const g = graphBuilder();
  const [a, b, velocity, factor] = [[4, 3], [4, 5], [3, 5], []].map((shape, i) => g.input("abvf"[i], "float32", shape));
  const product = g.add("Gemm", [a, b], { transA: 1, alpha: 0.5 });
  const graph = g.build("sum", outputs(g, { product, velocity, factor }));
  const feeds = Object.fromEntries(
    graph.inputs.map((input) => {
      const size = knownShape(input).reduce((x, y) => x * y, 1);
      return [input.name, array64(knownShape(input), Float64Array.from({ length: size }, random(2).fork(input.name).normal))];
    }),
  );
  return { graph, results: (one = graph) => one.outputs.map((value) => interpret(one, feeds).get(value)!.data) };
}

test.each([
  ["behind", (g: GraphBuilder, { product, velocity }: Values) => [g.add("Add", [g.add("Mul", [velocity, g.scalar(0.9)]), product])]],
  ["before", (g: GraphBuilder, { product, velocity }: Values) => [g.add("Add", [product, g.add("Mul", [velocity, g.scalar(0.9)])])]],
])("what a product is added to begins it: the product %s", (_name, outputs) => {
  const { graph, results } = written(outputs);
  const added = addInGemm(graph);
  expect(added.nodes.map(({ op }) => op)).toEqual(["Gemm"]);
  expect(added.outputs).toEqual(graph.outputs);
  results(added)[0].forEach((value, i) => {
    expect(value).toBeCloseTo(results()[0][i], 6); // β is a float32
  });
});

test.each([
  [
    "something else reads the product",
    (g: GraphBuilder, { product, velocity }: Values) => [g.add("Add", [product, g.add("Mul", [velocity, g.scalar(0.9)])]), product],
  ],
  [
    "the factor is fed",
    (g: GraphBuilder, { product, velocity, factor }: Values) => [g.add("Add", [product, g.add("Mul", [velocity, factor])])],
  ],
  [
    "the product is repeated",
    (g: GraphBuilder, { product }: Values) => [g.add("Add", [g.add("Mul", [g.input("w", "float32", [2, 3, 5]), g.scalar(2)]), product])],
  ],
])("not where %s", (_name, outputs) => {
  const { graph } = written(outputs);
  expect(addInGemm(graph).nodes).toEqual(graph.nodes);
});
