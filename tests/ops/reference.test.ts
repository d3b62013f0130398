import { describe, expect, test } from "vitest";
import { createSession } from "../../core/session.node.ts";
import { numbersOf } from "../../core/tensor.ts";
import { serialize } from "../../export/serialize.ts";
import { printType } from "../../models/graph/print.ts";
import { fromTensor } from "../reference/array.ts";
import { REFERENCE } from "../reference/index.ts";
import { definitionOf, fedTensors, graphOf, OP_NAMES } from "./build.ts";
import { CASES, type Case } from "./cases.ts";
import { largestError } from "./close.ts";

/** The reference with the attributes as given: its own defaults apply, not those of models/ops. */
const referenceOf = (op: keyof typeof CASES, c: Case) =>
  REFERENCE[op](
    c.inputs.map((t) => t && fromTensor(t)),
    c.attributes,
  );

describe.each(OP_NAMES)("%s", (op) => {
  test.each(CASES[op])("infers the type that the reference computes: $name", (c) => {
    expect(graphOf(op, c).outputs.map(printType)).toEqual(referenceOf(op, c).map(printType));
  });

  if (definitionOf(op).sinceOpset !== undefined)
    test.each(CASES[op])("the reference agrees with ONNX Runtime: $name", async (c) => {
      const graph = graphOf(op, c);
      const session = await createSession(serialize(graph), { threads: 1 });
      const results = await session.run(fedTensors(c));
      await session.dispose();
      referenceOf(op, c).forEach((expected, i) => {
        const actual = results[graph.outputs[i].name];
        expect(printType(actual)).toBe(printType(expected));
        expect(largestError(numbersOf(actual), expected.data)).toBeLessThan(3e-6);
      });
    });
});
