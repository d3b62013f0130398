import { describe, expect, test } from "vitest";
import { float32, int64 } from "../../core/tensor.ts";
import { gradCam } from "../../export/grad-cam.ts";
import { outputKindOf } from "../../export/output-kind.ts";
import { serialize } from "../../export/serialize.ts";
import { findHead } from "../../models/classifier-head.ts";
import { finalOutput, headNodes, logitsOf, toLogits } from "../../models/end-of-graph.ts";
import type { GraphBuilder } from "../../models/graph/builder.ts";
import type { Graph, Value } from "../../models/graph/graph.ts";
import { graphBuilder } from "../../models/ops/index.ts";

type Step = (g: GraphBuilder, x: Value) => Value;

const op =
  (name: string, attributes = {}): Step =>
  (g, x) =>
    g.add(name, [x], attributes);
const shaped =
  (name: string, list: readonly number[]): Step =>
  (g, x) =>
    g.add(name, [x, g.initializer("list", int64(list))]);

/** What passes every number on, in another form or none. */
const FORMS: Readonly<Record<string, readonly Step[]>> = {
  nothing: [],
  Identity: [op("Identity")],
  Cast: [op("Cast", { to: 1 })],
  Dropout: [op("Dropout")],
  Flatten: [op("Flatten")],
  Reshape: [shaped("Reshape", [-1, 4])],
  "Unsqueeze and Squeeze": [shaped("Unsqueeze", [2]), shaped("Squeeze", [2])],
  "all of them": [op("Cast", { to: 1 }), shaped("Unsqueeze", [2, 3]), op("Identity"), op("Dropout"), shaped("Reshape", [0, 4])],
};

/** What makes an answer of logits, and what a file's and a network's output is then. */
const ENDS: Readonly<
  Record<string, readonly [steps: readonly Step[], file: ReturnType<typeof outputKindOf>, network: ReturnType<typeof finalOutput>]>
> = {
  logits: [[], undefined, "logits"],
  Softmax: [[op("Softmax")], "probabilities", "probabilities"],
  LogSoftmax: [[op("LogSoftmax")], "log-probabilities", "log-probabilities"],
  "Log of Softmax": [[op("Softmax"), op("Log")], "log-probabilities", "log-probabilities"],
  "Log of Softmax in another form": [[op("Softmax"), op("Identity"), op("Log")], "log-probabilities", "log-probabilities"],
  Sigmoid: [[op("Sigmoid")], undefined, "logits"],
};

/** Images [N, 1, 4, 4] → a convolution, a linear layer 'z', and what stands behind it. */
function graphOf(steps: readonly Step[]): { readonly graph: Graph; readonly z: Value; readonly features: Value } {
  const g = graphBuilder();
  const weights = (name: string, shape: readonly number[]) =>
    g.initializer(
      name,
      float32(
        Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => Math.sin(i)),
        shape,
      ),
    );
  const map = g.add("Conv", [g.input("images", "float32", ["N", 1, 4, 4]), weights("w", [2, 1, 3, 3])], { kernel_shape: [3, 3] });
  const features = g.add("Flatten", [map]);
  const z = g.add("Gemm", [features, weights("fc", [8, 4])], {}, "z");
  return { graph: g.build("end", [steps.reduce((x, step) => step(g, x), z)]), z, features };
}

const cases = Object.entries(ENDS).flatMap(([end, [steps, file, network]]) =>
  Object.entries(FORMS).map(([form, forms]) => ({ end, form, ...graphOf([...steps, ...forms]), file, network })),
);

describe.each(cases)("$end behind which $form stands", ({ end, graph, z, features, file, network }) => {
  test("the file's bytes, the graph, its logits, its head and Grad-CAM agree", () => {
    expect(outputKindOf(serialize(graph))).toBe(file);
    expect(finalOutput(graph)).toBe(network);
    if (end !== "logits") expect(logitsOf(graph)).toBe(z);
    expect(findHead(graph)).toMatchObject({ features, classifier: { name: "z" } });
    expect(headNodes(graph).map(({ op }) => op)).toContain("Gemm");
    expect(gradCam(graph).layer).toBe("Conv");
  });

  test("up to its logits it keeps its form, and nothing that makes an answer of them", () => {
    const cut = toLogits(graph, { sigmoid: true });
    expect(cut.outputs[0].shape).toEqual(["N", 4]);
    expect(cut.nodes.map(({ op }) => op).filter((op) => /Sigmoid|Softmax|Log/.test(op))).toEqual([]);
    expect(finalOutput(cut)).toBe("logits");
    expect(toLogits(graph).nodes.some(({ op }) => op === "Sigmoid")).toBe(end === "Sigmoid");
  });
});

test("a softmax in the middle, as attention has it, is no end", () => {
  const { graph, z } = graphOf([(g, x) => g.add("Mul", [g.add("Softmax", [x]), x])]);
  expect([finalOutput(graph), outputKindOf(serialize(graph)), logitsOf(graph) === z]).toEqual(["logits", undefined, false]);
  expect(toLogits(graph)).toBe(graph);
  expect(findHead(graph)).toEqual({ features: graph.outputs[0] });
});
