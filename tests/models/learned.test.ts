import { expect, test } from "vitest";
import { differentiate } from "../../models/autodiff.ts";
import { LEARNED } from "../../models/learned.ts";
import { graphBuilder, type OpName } from "../../models/ops/index.ts";
import { addCase, addLoss, trainedInputs } from "../ops/build.ts";
import { CASES } from "../ops/cases.ts";

test.each(Object.entries(LEARNED) as [OpName, readonly number[]][])("what %s learns has a gradient at each of its places", (op, places) => {
  const found = CASES[op].find((c) => places.every((at) => trainedInputs(c).includes(at)));
  if (!found) throw new Error(`no case of ${op} feeds all of ${places}`);
  const g = graphBuilder();
  const { inputs, outputs } = addCase(g, op, found);
  const wanted = places.map((at) => inputs[at]!);
  const loss = addLoss(g, outputs[0], found.name);
  const gradients = differentiate(g, g.build("forward", [loss]).nodes, loss, wanted);
  expect(wanted.map((value) => gradients.get(value)?.shape)).toEqual(wanted.map(({ shape }) => shape));
});
