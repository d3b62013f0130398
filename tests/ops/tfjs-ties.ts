import { expect } from "vitest";
import { float32, type Tensor } from "../../core/tensor.ts";
import { differentiate } from "../../models/autodiff.ts";
import type { Attributes } from "../../models/graph/graph.ts";
import { graphBuilder, type OpName } from "../../models/ops/index.ts";
import type { Tf, TfTensor } from "../../training/engines/tfjs-kernel.ts";
import { upload } from "../../training/engines/tfjs-layout.ts";
import { fromTensor } from "../reference/array.ts";
import { interpret } from "../reference/interpret.ts";
import { programOf } from "./tfjs-checks.ts";

interface Tie {
  readonly op: OpName;
  readonly inputs: readonly Tensor[];
  readonly attributes?: Attributes;
}

/** Calls at ties and kinks. */
export const TIES: readonly Tie[] = [
  { op: "Abs", inputs: [float32([-2, 0, 3])] },
  { op: "LeakyRelu", inputs: [float32([-1, 0, 1])], attributes: { alpha: 0.25 } },
  { op: "Elu", inputs: [float32([-1, 0, 1])], attributes: { alpha: 0.5 } },
  { op: "Elu", inputs: [float32([-1, 0, 1])] },
  { op: "PRelu", inputs: [float32([-1, 0, 1]), float32([0.5])] },
  { op: "HardSigmoid", inputs: [float32([-2, -1, 0, 1, 2])], attributes: { alpha: 0.5, beta: 0.5 } },
  { op: "Relu", inputs: [float32([-1, 0, 1])] },
  { op: "Max", inputs: [float32([1, 2, 2]), float32([1, 2, 3]), float32([1, 1, 3])] },
  { op: "Min", inputs: [float32([1, 2, 2], [1, 3]), float32([1, 2], [2, 1])] },
  { op: "GlobalMaxPool", inputs: [float32([1, 4, 4, 4, 7, 7, 7, 7], [1, 2, 2, 2])] },
  { op: "ReduceMax", inputs: [float32([6, 6, 1, 2, 2, 2], [2, 3])] },
  { op: "ReduceL2", inputs: [float32([0, 0, 0], [3])] },
];

/** tensorflow's gradients of a call are those of the graph's own gradient, ties and kinks included. */
export function checkTie(tf: Tf, { op, inputs, attributes = {} }: Tie): void {
  const g = graphBuilder();
  const values = inputs.map((t, i) => g.input(`x${i}`, "float32", t.shape));
  const y = g.add(op, values, attributes, "y");
  const graph = g.build("forward", [y]);
  const size = (y.shape as readonly number[]).reduce((a, b) => a * b, 1);
  const dy = float32(
    Array.from({ length: size }, (_, i) => i + 5),
    y.shape as readonly number[],
  );
  const loss = g.add("ReduceSum", [g.add("Mul", [y, g.initializer("dy", dy)])], { keepdims: 0 });
  const found = differentiate(g, g.build("loss", []).nodes, loss, values);
  const gradients = values.map((value) => found.get(value)!);
  const fed = Object.fromEntries(inputs.map((t, i) => [`x${i}`, fromTensor(t)]));
  const expected = interpret(g.build("gradients", gradients), fed);
  const program = programOf(
    tf,
    graph,
    values.map(({ name }) => name),
    true,
  );
  tf.tidy(() => {
    const given = tf.grads((...tensors: TfTensor[]) => tf.sum(tf.mul(program.run(tensors), upload(tf, dy))))(
      inputs.map((t) => upload(tf, t)),
    );
    given.forEach((gradient, i) => {
      const wanted = Array.from(expected.get(gradients[i])!.data);
      gradient.dataSync().forEach((value, at) => {
        expect(value, `input ${i}, element ${at}`).toBeCloseTo(wanted[at], 4);
      });
    });
  });
  program.dispose();
}
