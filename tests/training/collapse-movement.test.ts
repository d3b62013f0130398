import { describe, expect, test } from "vitest";
import { int64 } from "../../core/tensor.ts";
import type { GraphBuilder } from "../../models/graph/builder.ts";
import type { Value } from "../../models/graph/graph.ts";
import { graphBuilder } from "../../models/ops/index.ts";
import { reshape } from "../../models/ops/shared.ts";
import { prune } from "../../training/step/prune.ts";
import { array64 } from "../reference/array.ts";
import { interpret } from "../reference/interpret.ts";

const transpose = (g: GraphBuilder, x: Value, ...perm: number[]): Value => g.add("Transpose", [x], { perm });
const split = (g: GraphBuilder, x: Value, axis: number, ...lengths: number[]): readonly Value[] =>
  g.addAll("Split", [x, g.initializer("lengths", int64(lengths))], { axis });

/** What is left of what `write` adds to x [2, 3, 4], after its values were found to be the same. */
function pruned(write: (g: GraphBuilder, x: Value) => readonly Value[]): string[] {
  const g = graphBuilder();
  const written = g.build("g", write(g, g.input("x", "float32", [2, 3, 4])));
  const small = prune(written);
  const x = array64(
    [2, 3, 4],
    Float64Array.from({ length: 24 }, (_, i) => i),
  );
  const [before, after] = [written, small].map((graph) => {
    const values = interpret(graph, { x });
    return graph.outputs.map((value) => values.get(value));
  });
  expect(after).toEqual(before);
  expect(prune(small)).toEqual(small);
  return small.nodes.map(({ op }) => op);
}

describe("movements that the next one undoes", () => {
  test("of several reshapes in a row the last one is left", () => {
    expect(pruned((g, x) => [reshape(g, reshape(g, reshape(g, x, [6, 4]), [24]), [4, 6])])).toEqual(["Reshape"]);
  });

  test("also where something else reads what lies between", () => {
    const ops = pruned((g, x) => {
      const rows = reshape(g, x, [6, 4]);
      return [g.add("Neg", [rows]), g.add("Exp", [reshape(g, reshape(g, rows, [24]), [2, 3, 4])])];
    });
    expect(ops).toEqual(["Reshape", "Neg", "Exp"]);
  });

  test("a reshape to the same shape goes, but not where the graph gives it out", () => {
    const same = (g: GraphBuilder, x: Value): Value => g.add("Reshape", [x, g.initializer("shape", int64([2, -1, 4]))]);
    expect(pruned((g, x) => [g.add("Neg", [same(g, x)])])).toEqual(["Neg"]);
    expect(pruned((g, x) => [same(g, x)])).toEqual(["Reshape"]);
  });

  test("a 0 in a shape is an axis of what lies between: both reshapes stay", () => {
    const ops = pruned((g, x) => [g.add("Neg", [g.add("Reshape", [reshape(g, x, [6, 4]), g.initializer("shape", int64([0, 2, 2]))])])]);
    expect(ops).toEqual(["Reshape", "Reshape", "Neg"]);
  });

  test("two transposes are one, or none, also with reshapes between them that cancel", () => {
    expect(pruned((g, x) => [transpose(g, transpose(g, x, 2, 0, 1), 1, 0, 2)])).toEqual(["Transpose"]);
    expect(pruned((g, x) => [g.add("Neg", [transpose(g, transpose(g, x, 2, 0, 1), 1, 2, 0)])])).toEqual(["Neg"]);
    const around = (g: GraphBuilder, x: Value): Value => {
      const moved = transpose(g, reshape(g, x, [2, 12]), 1, 0);
      const back = reshape(g, reshape(g, moved, [3, 4, 2]), [12, 2]);
      return reshape(g, transpose(g, back, 1, 0), [6, 4]);
    };
    expect(pruned((g, x) => [g.add("Neg", [around(g, x)])])).toEqual(["Reshape", "Neg"]);
  });

  test("a concat of all parts of a split goes, and one of some or in another order stays", () => {
    const joined = (axis: number, ...order: number[]) =>
      pruned((g, x) => {
        const parts = split(g, x, 1, 1, 2);
        return [
          g.add("Neg", [
            g.add(
              "Concat",
              order.map((i) => parts[i]),
              { axis },
            ),
          ]),
        ];
      });
    expect(joined(1, 0, 1)).toEqual(["Neg"]);
    expect(joined(-2, 0, 1)).toEqual(["Neg"]);
    expect(joined(1, 1, 0)).toEqual(["Split", "Concat", "Neg"]);
  });

  test("a split of a concat into its inputs goes, and one into others stays", () => {
    const parts = (...lengths: number[]) =>
      pruned((g, x) => {
        const both = g.add("Concat", [x, g.add("Exp", [g.add("Neg", [x])])], { axis: 2 });
        return split(g, both, 2, ...lengths).map((part) => g.add("Sqrt", [part]));
      });
    expect(parts(4, 4)).toEqual(["Neg", "Exp", "Sqrt", "Sqrt"]);
    expect(parts(3, 5)).toEqual(["Neg", "Exp", "Concat", "Split", "Sqrt", "Sqrt"]);
  });
});
