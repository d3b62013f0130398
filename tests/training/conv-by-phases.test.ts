import { describe, expect, test } from "vitest";
import { random } from "../../core/random.ts";
import type { Device } from "../../core/session.ts";
import { knownShape } from "../../models/graph/graph.ts";
import { conv2d, flatten, type Layer, linear, maxPool2d, relu, sequential } from "../../models/layers/index.ts";
import { type ImageShape, network } from "../../models/network.ts";
import { sgd } from "../../training/optimizers.ts";
import { writeStep } from "../../training/step/index.ts";
import { type Array64, array64 } from "../reference/array.ts";
import { interpret } from "../reference/interpret.ts";

const net = (conv: Layer, input: ImageShape, pool: Layer = maxPool2d(2)) =>
  network("net", sequential({ conv, relu, pool, flatten, fc: linear(3) }), { input });

/** The step's loss and next variables in float64; the images' few values make ties in the windows, and relu's zeros do. */
function stepOf(layers: ReturnType<typeof net>, device: Device) {
  const { graph, variables } = writeStep(layers, 3, sgd(), { device });
  const feeds = Object.fromEntries(
    graph.inputs.map((input): [string, Array64] => {
      const { normal, integer } = random(4).fork(input.name);
      const value = () => (input.name === "learning-rate" ? 1 : input.name === "images" ? integer(2) : normal());
      return [input.name, array64(knownShape(input), Float64Array.from({ length: knownShape(input).reduce((a, b) => a * b, 1) }, value))];
    }),
  );
  const values = interpret(graph, feeds);
  return {
    pools: graph.nodes.filter(({ op }) => op === "MaxPool").length,
    loss: values.get(graph.outputs[0])!.data[0],
    after: Object.fromEntries(variables.map((v) => [v.name, values.get(v.after)!.data])),
  };
}

describe("the first convolution before a pool of 2×2 is four at stride 2", () => {
  test.each<[string, Layer, ImageShape]>([
    ["3×3", conv2d(4, 3, { padding: 1 }), [2, 8, 8]],
    ["5×5, not square", conv2d(4, 5, { padding: 2 }), [2, 6, 8]],
    ["4×4 of odd images, padded by more than is behind", conv2d(4, 4, { padding: 2 }), [2, 7, 5]],
    ["2×2 of odd images", conv2d(4, 2, { padding: 1 }), [1, 5, 7]],
  ])("%s: with the same loss and gradients, ties among them", (_name, conv, input) => {
    const [phases, plain] = (["cpu", "webgpu"] as const).map((device) => stepOf(net(conv, input), device));
    expect([phases.pools, plain.pools]).toEqual([0, 2]);
    expect(phases.loss).toBeCloseTo(plain.loss, 12);
    for (const [name, data] of Object.entries(plain.after))
      data.forEach((value, i) => {
        expect(phases.after[name][i], name).toBeCloseTo(value, 12);
      });
  });

  test.each<[string, Layer, ImageShape, Layer]>([
    ["an odd number of pixels", conv2d(4, 3, { padding: 1 }), [2, 7, 8], maxPool2d(2)],
    ["no padding", conv2d(4, 3), [2, 8, 8], maxPool2d(2)],
    ["overlapping windows", conv2d(4, 3, { padding: 1 }), [2, 8, 8], maxPool2d(3, { stride: 2 })],
    ["a stride of its own", conv2d(4, 3, { padding: 1, stride: 2 }), [2, 8, 8], maxPool2d(2)],
  ])("but not with %s", (_name, conv, input, pool) => {
    expect(stepOf(net(conv, input, pool), "cpu").pools).toBe(2);
  });
});
