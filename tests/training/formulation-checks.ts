import { describe, expect, test } from "vitest";
import { createSession } from "../../core/session.node.ts";
import type { Device } from "../../core/session.ts";
import { numbersOf } from "../../core/tensor.ts";
import { serialize } from "../../export/serialize.ts";
import { printType } from "../../models/graph/print.ts";
import { FORMULATIONS } from "../../training/step/lower/index.ts";
import { lower } from "../../training/step/lower/lower.ts";
import { fedArrays, fedTensors, graphOf, OP_NAMES } from "../ops/build.ts";
import { CASES } from "../ops/cases.ts";
import { largestError } from "../ops/close.ts";
import { interpret } from "../reference/interpret.ts";

/** Every case of every operator, by every formulation that takes it there, against the float64 reference of what it must mean. */
export const describeFormulations = (device: Device): void =>
  describe.each(OP_NAMES)("%s", (op) => {
    const formulations = FORMULATIONS[op].map((formulation) => {
      const applicable = CASES[op].flatMap((c) => {
        const graph = graphOf(op, c);
        const plan = formulation.plan(graph.nodes[0], (value) => graph.initializers.get(value));
        return plan ? [{ name: c.name, c, graph, plan, here: plan.devices?.includes(device) ?? true }] : [];
      });
      return { name: formulation.name, formulation, applicable };
    });

    test("takes some case", () => {
      expect(formulations.some(({ applicable }) => applicable.some(({ here }) => here))).toBe(true);
      for (const { name, applicable } of formulations) expect(applicable.length, name).toBeGreaterThan(0);
    });

    const here = formulations.map((each) => ({ ...each, applicable: each.applicable.filter((one) => one.here) }));
    describe.each(here.filter(({ applicable }) => applicable.length > 0))("$name", ({ formulation, applicable }) => {
      test.each(applicable)("$name", async ({ c, graph, plan }) => {
        const lowered = lower(graph, new Map([[graph.nodes[0], { formulation, plan }]]));
        expect(lowered.outputs.map(printType)).toEqual(graph.outputs.map(printType));
        const expected = interpret(graph, fedArrays(c));
        const session = await createSession(serialize(lowered), { device, ...(device === "cpu" && { threads: 1 }) });
        const results = await session.run(fedTensors(c));
        await session.dispose();
        graph.outputs.forEach((value, i) => {
          expect(largestError(numbersOf(results[lowered.outputs[i].name]), expected.get(value)!.data), value.name).toBeLessThan(1e-5);
        });
      });
    });
  });
