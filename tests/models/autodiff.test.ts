import { describe, expect, test } from "vitest";
import { FivecropError } from "../../core/errors.ts";
import { float32, int64 } from "../../core/tensor.ts";
import { differentiate } from "../../models/autodiff.ts";
import type { GraphBuilder } from "../../models/graph/builder.ts";
import type { Value } from "../../models/graph/graph.ts";
import { graphBuilder } from "../../models/ops/index.ts";

describe("a node whose gradient cannot be is named", () => {
  const cases: readonly (readonly [name: string, write: (g: GraphBuilder, w: Value) => Value, message: string])[] = [
    [
      "an operator without a gradient",
      (g, w) => g.add("CumSum", [w, g.initializer("axis", int64([1], []))], {}, "running"),
      "node 'running' (CumSum) has no gradient, and a value whose gradient is wanted lies before it. To fix: ",
    ],
    [
      "a form that its gradient does not know",
      (g, w) => g.add("Gather", [w, g.input("rows", "int64", [2])], { axis: 0 }, "picked"),
      "node 'picked' (Gather): its gradient cannot be written: its input 'indices' must be a constant",
    ],
  ];
  test.each(cases)("%s", (_, write, message) => {
    const g = graphBuilder();
    const w = g.initializer("w", float32(new Float32Array(6), [3, 2]));
    const loss = g.add("ReduceSum", [write(g, w)], { keepdims: 0 });
    const { nodes } = g.build("forward", []);
    const error = (() => {
      try {
        differentiate(g, nodes, loss, [w]);
      } catch (thrown) {
        return thrown;
      }
    })();
    expect(error).toBeInstanceOf(FivecropError);
    expect(String((error as Error).message)).toContain(message);
    expect(differentiate(g, nodes, loss, []).size).toBe(0); // nothing below is wanted
  });
});
