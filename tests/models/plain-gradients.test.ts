import { describe, expect, test } from "vitest";
import { createSession } from "../../core/session.node.ts";
import { numbersOf } from "../../core/tensor.ts";
import { serialize } from "../../export/serialize.ts";
import { graphBuilder, OPS, type OpName } from "../../models/ops/index.ts";
import { PLAIN_GRADIENTS } from "../../models/plain-gradients.ts";
import { fedArrays, fedTensors, graphOf } from "../ops/build.ts";
import { CASES } from "../ops/cases.ts";
import { largestError } from "../ops/close.ts";
import { interpret } from "../reference/interpret.ts";

/** What only training needs: weights' gradients, and what a batch's statistics pass on. */
const OF_TRAINING = ["BatchMoments", "BatchMomentsGradient", "ConvWeightGradient"];

test("every gradient operator of the trainer's own has a plain form, but what only training needs", () => {
  const own = Object.entries(OPS).flatMap(([op, { sinceOpset }]) => (sinceOpset === undefined ? [op] : []));
  expect([...Object.keys(PLAIN_GRADIENTS), ...OF_TRAINING].sort()).toEqual(own.sort());
});

/** Every case with two spatial axes, against the float64 reference of the operator's first output. */
describe.each(Object.keys(PLAIN_GRADIENTS) as OpName[])("%s in plain operators", (op) => {
  const cases = CASES[op].filter((c) =>
    !op.includes("Pool") && !op.startsWith("Conv") ? true : graphOf(op, c).outputs[0].shape.length === 4,
  );

  test("has cases", () => {
    expect(cases.length).toBeGreaterThan(0);
  });

  test.each(cases.map((c) => ({ name: c.name, c })))("$name", async ({ c }) => {
    const graph = graphOf(op, c);
    const g = graphBuilder({ ...graph, nodes: [], outputs: [] });
    const [y] = PLAIN_GRADIENTS[op](g, graph.nodes[0]);
    expect(y.shape).toEqual(graph.outputs[0].shape);
    const session = await createSession(serialize(g.build(op, [y])), { threads: 1 });
    const { [y.name]: found } = await session.run(fedTensors(c));
    await session.dispose();
    const expected = interpret(graph, fedArrays(c)).get(graph.outputs[0])!;
    expect(largestError(numbersOf(found), expected.data)).toBeLessThan(1e-5);
  });
});
