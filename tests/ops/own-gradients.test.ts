import { describe, expect, test } from "vitest";
import type { Attributes } from "../../models/graph/graph.ts";
import type { OpName } from "../../models/ops/index.ts";
import { type Array64, fromTensor } from "../reference/array.ts";
import { REFERENCE } from "../reference/index.ts";
import { CASES, type Case } from "./cases.ts";
import { centralDifferences } from "./central-differences.ts";
import { largestError } from "./close.ts";

/** The forward call whose gradient a case of one of the trainer's own operators asks for. */
interface Forward {
  readonly op: OpName;
  readonly dy: Array64;
  /** A stand-in where the gradient does not depend on that input's value. */
  readonly inputs: readonly Array64[];
  /** Which input each output of the gradient operator belongs to. */
  readonly wanted: readonly number[];
}

const anywhere = (shape: readonly number[]): Array64 => {
  const data = Float64Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => Math.cos(3 * i));
  return { dtype: "float32", shape, data };
};
const shapeOf = (attributes: Attributes, name: string) => attributes[name] as readonly number[];
const inverse = (f: (y: number) => number, y: Array64): Array64 => ({ ...y, data: y.data.map(f) });

const FORWARDS: Readonly<Partial<Record<OpName, (inputs: readonly Array64[], attributes: Attributes) => Forward>>> = {
  ConvInputGradient: ([dy, w], attributes) => ({ op: "Conv", dy, inputs: [anywhere(shapeOf(attributes, "input_shape")), w], wanted: [0] }),
  ConvWeightGradient: ([x, dy], attributes) => ({
    op: "Conv",
    dy,
    inputs: [x, anywhere(shapeOf(attributes, "weight_shape"))],
    wanted: [1],
  }),
  MaxPoolGradient: ([x, , dy]) => ({ op: "MaxPool", dy, inputs: [x], wanted: [0] }),
  AveragePoolGradient: ([dy], attributes) => ({
    op: "AveragePool",
    dy,
    inputs: [anywhere(shapeOf(attributes, "input_shape"))],
    wanted: [0],
  }),
  BatchNormGradient: ([x, dy, scale, mean, variance]) => ({
    op: "BatchNormalization",
    dy,
    inputs: [x, scale, anywhere(scale.shape), mean, variance],
    wanted: [0, 1, 2, 3, 4],
  }),
  ReluGradient: ([y, dy]) => ({ op: "Relu", dy, inputs: [inverse((y) => (y > 0 ? y : -1), y)], wanted: [0] }),
  SigmoidGradient: ([y, dy]) => ({ op: "Sigmoid", dy, inputs: [inverse((y) => Math.log(y / (1 - y)), y)], wanted: [0] }),
};

describe.each(Object.keys(FORWARDS) as (keyof typeof FORWARDS)[])("the reference of %s is the slope of its forward reference", (op) => {
  const withinFloat32 = (c: Case) => !(op === "SigmoidGradient" && c.name === "far from 0"); // there y rounds to 0 and 1
  test.each(CASES[op].filter(withinFloat32))("$name", (c) => {
    const given = c.inputs.map((t) => fromTensor(t!));
    const forward = FORWARDS[op]!(given, c.attributes);
    const loss = () => REFERENCE[forward.op](forward.inputs, c.attributes)[0].data.reduce((sum, y, i) => sum + y * forward.dy.data[i], 0);
    const gradients = REFERENCE[op](given, c.attributes);
    expect(gradients.length).toBe(forward.wanted.length);
    forward.wanted.forEach((input, i) => {
      expect(gradients[i].shape).toEqual(forward.inputs[input].shape);
      expect(largestError(gradients[i].data, centralDifferences(forward.inputs[input], loss))).toBeLessThan(2e-6);
    });
  });
});

describe("the reference of BatchMomentsGradient is the slope of BatchMoments", () => {
  test.each(CASES.BatchMomentsGradient)("$name", (c) => {
    const [x, mean, dmean, dvariance] = c.inputs.map((t) => fromTensor(t!));
    const dot = (a: Array64, b: Array64) => a.data.reduce((sum, value, i) => sum + value * b.data[i], 0);
    const loss = () => {
      const [m, v] = REFERENCE.BatchMoments([x], {});
      return dot(m, dmean) + dot(v, dvariance);
    };
    const [dx] = REFERENCE.BatchMomentsGradient([x, mean, dmean, dvariance], {});
    expect(largestError(dx.data, centralDifferences(x, loss))).toBeLessThan(2e-6);
  });
});
