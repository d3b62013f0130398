import { expect } from "vitest";
import type { Tensor } from "../../core/tensor.ts";
import type { Graph, Value } from "../../models/graph/graph.ts";
import { graphBuilder, type OpName } from "../../models/ops/index.ts";
import type { Tf, TfTensor } from "../../training/engines/tfjs-kernel.ts";
import { type ForwardOp, KERNELS } from "../../training/engines/tfjs-kernels.ts";
import { relay, upload } from "../../training/engines/tfjs-layout.ts";
import { compileProgram, layoutsOf } from "../../training/engines/tfjs-program.ts";
import { fromTensor } from "../reference/array.ts";
import { REFERENCE } from "../reference/index.ts";
import { interpret } from "../reference/interpret.ts";
import { addLoss, definitionOf, trainedInputs } from "./build.ts";
import type { Case } from "./cases.ts";
import { centralDifferences } from "./central-differences.ts";
import { largestError } from "./close.ts";

export const FORWARD_OPS = Object.keys(KERNELS) as readonly ForwardOp[];

/** Why the engine refuses a case: images with three spatial axes, and types that TensorFlow.js has not. */
export function refusalOf(op: OpName, c: Case): string | undefined {
  if (["AveragePool", "Conv", "ConvTranspose", "MaxPool"].includes(op) && c.inputs[0]!.shape.length === 5)
    return "it has 3 spatial axes, and only one or two are supported";
  if (op === "Div" && c.inputs[0]!.dtype !== "float32") return "TensorFlow.js rounds quotients of whole numbers down";
  return op === "Cast" && [2, 11].includes(c.attributes.to as number) ? "TensorFlow.js has no such type" : undefined;
}

/** The case's node; inputs with a gradient are fed, others are the graph's own. */
function graphOf(
  op: OpName,
  c: Case,
): { readonly graph: Graph; readonly outputs: readonly Value[]; readonly fed: ReadonlyMap<string, Tensor<"float32">> } {
  const g = graphBuilder();
  const fed = new Map<string, Tensor<"float32">>();
  const trained = trainedInputs(c);
  const inputs = c.inputs.map((t, i) => {
    if (!t) return undefined;
    if (!trained.includes(i)) return g.initializer(`x${i}`, t);
    fed.set(`x${i}`, t as Tensor<"float32">);
    return g.input(`x${i}`, t.dtype, t.shape);
  });
  const outputs = g.addAll(op, inputs, c.attributes, "y");
  return { graph: g.build(op, outputs), outputs, fed };
}

/** A graph's first output, as the engine's program computes it from variables. */
export function programOf(tf: Tf, graph: Graph, names: readonly string[], training: boolean) {
  const own = layoutsOf(graph);
  const layouts = new Map(names.map((name) => [name, own.get(name) ?? ("standard" as const)]));
  const program = compileProgram(tf, { ...graph, inputs: [] }, layouts, () => training);
  const run = (tensors: readonly TfTensor[]): TfTensor =>
    program.run(
      undefined as unknown as TfTensor,
      new Map(names.map((name, i) => [name, relay(tf, tensors[i], "standard", layouts.get(name)!)])),
    );
  return { run, dispose: program.dispose };
}

const numbersOf = (t: TfTensor): number[] => Array.from(t.dataSync());

/** tensorflow's outputs of a case are the reference's. */
export function checkForward(tf: Tf, op: OpName, c: Case): void {
  const { graph, outputs, fed } = graphOf(op, c);
  const expected = REFERENCE[op](
    c.inputs.map((t) => t && fromTensor(t)),
    c.attributes,
  );
  outputs.forEach((output, i) => {
    const program = programOf(tf, { ...graph, outputs: [output] }, [...fed.keys()], false);
    const y = tf.tidy(() => program.run([...fed.values()].map((t) => upload(tf, t))));
    expect([...y.shape]).toEqual(expected[i].shape);
    expect(largestError(numbersOf(y), expected[i].data)).toBeLessThan(1e-5);
    y.dispose();
    program.dispose();
  });
}

/** Their own gradient is of what they do at inference. */
const OTHERWISE_IN_TRAINING: readonly OpName[] = ["BatchNormalization", "Dropout"];

/** tensorflow's gradients of a case are central differences of the reference, and leave no tensor behind. */
export function checkGradients(tf: Tf, op: OpName, c: Case): void {
  const {
    graph,
    outputs: [output],
    fed,
  } = graphOf(op, c);
  const names = [...fed.keys()];
  const g = graphBuilder({ ...graph, outputs: [] });
  const loss = addLoss(g, output, c.name);
  const whole = g.build("loss", [loss]);
  const r = [...whole.initializers].find(([value]) => value.name === "r")![1];
  const before = tf.memory().numTensors;
  const program = programOf(tf, graph, names, !OTHERWISE_IN_TRAINING.includes(op));
  const inputs = [...fed.values()].map((t) => upload(tf, t));
  const gradients = tf.grads((...tensors: TfTensor[]) => tf.sum(tf.mul(program.run(tensors), upload(tf, r))))(inputs);
  const arrays = Object.fromEntries([...fed].map(([name, t]) => [name, fromTensor(t)]));
  names.forEach((name, i) => {
    const slopes = centralDifferences(arrays[name], () => interpret(whole, arrays).get(loss)!.data[0]);
    expect(largestError(numbersOf(gradients[i]), slopes), name).toBeLessThan(1e-4);
  });
  tf.dispose([...gradients, ...inputs]);
  program.dispose();
  expect(tf.memory().numTensors).toBe(before);
}

export const hasGradients = (op: OpName, c: Case): boolean => definitionOf(op).gradient !== undefined && trainedInputs(c).length > 0;
