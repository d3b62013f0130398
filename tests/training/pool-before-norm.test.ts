import { describe, expect, test } from "vitest";
import { random } from "../../core/random.ts";
import { knownShape } from "../../models/graph/graph.ts";
import { batchNorm, conv2d, flatten, type Layer, linear, maxPool2d, relu, sequential } from "../../models/layers/index.ts";
import { network } from "../../models/network.ts";
import { sgd } from "../../training/optimizers.ts";
import { compileStep, writeStep } from "../../training/step/index.ts";
import { type Array64, array64 } from "../reference/array.ts";
import { interpret } from "../reference/interpret.ts";

/** Keeps a pool from being moved, and computes nothing. */
const identity: Layer = (x, scope) => scope.graph.add("Identity", [x], {}, scope.path);

const net = (between: readonly Layer[]) =>
  network(
    "net",
    sequential({
      conv: conv2d(4, 3, { padding: 1 }),
      norm: batchNorm,
      ...Object.fromEntries(between.map((layer, i) => [`between${i}`, layer])),
      relu,
      pool: maxPool2d(3, { stride: 2, padding: 1 }),
      flatten,
      fc: linear(3),
    }),
    { input: [2, 7, 7] },
  );

/** The step's loss and next variables in float64, with scales of both signs. */
function stepOf(between: readonly Layer[]) {
  const { graph, variables } = writeStep(net(between), 3, sgd());
  const feeds = Object.fromEntries(
    graph.inputs.map((input): [string, Array64] => {
      const { normal } = random(4).fork(input.name);
      const shape = knownShape(input);
      const value = () => (input.name === "learning-rate" ? 1 : input.name === "norm.running_var" ? 1 + normal() ** 2 : normal());
      return [input.name, array64(shape, Float64Array.from({ length: shape.reduce((a, b) => a * b, 1) }, value))];
    }),
  );
  expect(feeds["norm.weight"].data.some((scale) => scale < 0) && feeds["norm.weight"].data.some((scale) => scale > 0)).toBe(true);
  const values = interpret(graph, feeds);
  return {
    graph,
    loss: values.get(graph.outputs[0])!.data[0],
    after: Object.fromEntries(variables.map((v) => [v.name, values.get(v.after)!.data])),
  };
}

describe("a pool moves before a norm", () => {
  const [moved, plain] = [stepOf([]), stepOf([identity])];

  test("and the norm then runs over pooled pixels", () => {
    const normalized = (graph: typeof moved.graph) => graph.nodes.find(({ op }) => op === "BatchNormalization")!.inputs[0]!.shape;
    expect(normalized(moved.graph)).toEqual([3, 4, 4, 4]);
    expect(normalized(plain.graph)).toEqual([3, 4, 7, 7]);
  });

  test("but not one whose scale starts at 0, where every pixel ties", () => {
    const zeroed: Layer = (x, scope) => {
      const vectors = ["weight", "bias"].map((name) => scope.parameter(name, [4], (shape) => new Float32Array(shape[0])));
      return scope.graph.add(
        "BatchNormalization",
        [x, ...vectors, scope.state("mean", [4], 0), scope.state("var", [4], 1)],
        {},
        scope.path,
      );
    };
    const layers = sequential({ conv: conv2d(4, 3), norm: zeroed, pool: maxPool2d(2), flatten, fc: linear(3) });
    const { graph } = writeStep(network("zeroed", layers, { input: [2, 6, 6] }), 3, sgd());
    expect(graph.nodes.find(({ op }) => op === "BatchNormalization")!.inputs[0]!.shape).toEqual([3, 4, 4, 4]);
  });

  test("with the same loss, gradients and running statistics, whatever the scales' signs", () => {
    expect(moved.loss).toBeCloseTo(plain.loss, 12);
    expect(Object.keys(moved.after)).toEqual(Object.keys(plain.after));
    for (const [name, data] of Object.entries(plain.after))
      data.forEach((value, i) => {
        expect(moved.after[name][i], name).toBeCloseTo(value, 10);
      });
  });
});

test("what a moved norm's pools keep, its moments' gradient reads; what stays keeps centered values alone", () => {
  const readOf = (between: readonly Layer[]) => {
    const { nodes } = compileStep(net(between), 3, sgd()).graph;
    const producer = new Map(nodes.flatMap((node) => node.outputs.map((value) => [value, node] as const)));
    const gradient = nodes.find(({ name }) => name === "norm/moments.gradient/BatchMomentsGradient")!;
    let from = producer.get(gradient.inputs[0]!)!;
    while (from.op === "Reshape") from = producer.get(from.inputs[0]!)!;
    return from.op;
  };
  expect([readOf([]), readOf([identity])]).toEqual(["Conv", "Sub"]);
});
