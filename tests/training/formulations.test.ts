import { describe, expect, test } from "vitest";
import { createSession } from "../../core/session.node.ts";
import { numbersOf } from "../../core/tensor.ts";
import { serialize } from "../../export/serialize.ts";
import { printType } from "../../models/graph/print.ts";
import { FORMULATIONS } from "../../training/step/lower/index.ts";
import { lower } from "../../training/step/lower/lower.ts";
import { fedArrays, fedTensors, graphOf, OP_NAMES } from "../ops/build.ts";
import { CASES } from "../ops/cases.ts";
import { largestError } from "../ops/close.ts";
import { interpret } from "../reference/interpret.ts";

/** Every case of every operator, by every formulation that takes it, against the float64 reference of what it must mean. */
describe.each(OP_NAMES)("%s", (op) => {
  describe.each(FORMULATIONS[op].map((formulation) => ({ name: formulation.name, formulation })))("$name", ({ formulation }) => {
    const applicable = CASES[op].flatMap((c) => {
      const graph = graphOf(op, c);
      const plan = formulation.plan(graph.nodes[0], (value) => graph.initializers.get(value));
      return plan ? [{ name: c.name, c, graph, plan }] : [];
    });

    test("takes some case", () => {
      expect(applicable.length).toBeGreaterThan(0);
    });

    test.each(applicable)("$name", async ({ c, graph, plan }) => {
      const lowered = lower(graph, new Map([[graph.nodes[0], { formulation, plan }]]));
      expect(lowered.outputs.map(printType)).toEqual(graph.outputs.map(printType));
      const expected = interpret(graph, fedArrays(c));
      const session = await createSession(serialize(lowered), { threads: 1 });
      const results = await session.run(fedTensors(c));
      await session.dispose();
      graph.outputs.forEach((value, i) => {
        expect(largestError(numbersOf(results[lowered.outputs[i].name]), expected.get(value)!.data), value.name).toBeLessThan(1e-5);
      });
    });
  });
});
