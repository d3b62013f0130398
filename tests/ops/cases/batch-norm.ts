import type { Attributes } from "../../../models/graph/graph.ts";
import { fromTensor, toTensor } from "../../reference/array.ts";
import { REFERENCE } from "../../reference/index.ts";
import { type Case, type Input, makeCase, normal, positive } from "./case.ts";
import { Relu, Sigmoid } from "./elementwise.ts";

const SHAPES: readonly (readonly [string, readonly number[], Attributes])[] = [
  ["images", [2, 3, 3, 2], {}],
  ["a large epsilon", [3, 2, 2, 2], { epsilon: 0.5 }],
  ["one channel", [2, 1, 3, 3], {}],
  ["batch 1", [1, 2, 3, 4], { epsilon: 1e-3 }],
  ["features", [5, 3], {}],
  ["1-D", [3, 2, 4], {}],
  ["3-D", [2, 2, 2, 1, 3], { epsilon: 1e-3 }],
];

export const BatchNormalization = SHAPES.map(([name, shape, attributes]) => {
  const c = shape[1];
  return makeCase("BatchNormalization", name, [normal(...shape), normal(c), normal(c), normal(c), positive(c)], { attributes });
});

export const BatchMoments = SHAPES.map(([name, shape]) => makeCase("BatchMoments", name, [normal(...shape)]));

const given =
  (c: Case, input: number): Input =>
  () =>
    c.inputs[input]!;

export const BatchMomentsGradient = BatchMoments.flatMap((c) => {
  const [mean] = REFERENCE.BatchMoments([fromTensor(c.inputs[0]!)], {});
  const [channels] = mean.shape;
  const inputs = [given(c, 0), () => toTensor(mean), normal(channels), normal(channels)];
  return [0, 1].map((centered) =>
    makeCase("BatchMomentsGradient", centered ? `${c.name}, centered` : c.name, inputs, { attributes: { centered } }),
  );
});

export const BatchNormGradient = BatchNormalization.map((c) =>
  makeCase("BatchNormGradient", c.name, [given(c, 0), normal(...c.inputs[0]!.shape), given(c, 1), given(c, 3), given(c, 4)], {
    attributes: c.attributes,
  }),
);

/** y and dy for a gradient that is taken from the function's output. */
const fromOutput = (op: "Relu" | "Sigmoid", forward: readonly Case[]): Case[] =>
  forward.map((c) => {
    const [y] = REFERENCE[op]([fromTensor(c.inputs[0]!)], {});
    return makeCase(`${op}Gradient`, c.name, [() => toTensor(y), normal(...y.shape)]);
  });

export const ReluGradient = fromOutput("Relu", Relu);
export const SigmoidGradient = fromOutput("Sigmoid", Sigmoid);
