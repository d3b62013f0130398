import { describe, expect, test } from "vitest";
import { random } from "../../core/random.ts";
import { createSession } from "../../core/session.node.ts";
import { float32, numbersOf, type Tensor } from "../../core/tensor.ts";
import { serialize } from "../../export/serialize.ts";
import { knownShape } from "../../models/graph/graph.ts";
import { initialParameters } from "../../models/network.ts";
import { sgd } from "../../training/optimizers.ts";
import { compileStep, writeStep } from "../../training/step/index.ts";
import { largestError } from "../ops/close.ts";
import { fromTensor } from "../reference/array.ts";
import { interpret } from "../reference/interpret.ts";
import { batchOf } from "./batch-of.ts";
import { BLOCKS } from "./blocks.ts";

describe.each(Object.keys(BLOCKS))("a step of %s", (name) => {
  const net = BLOCKS[name];
  const batch = 3;
  const step = writeStep(net, batch, sgd());
  const drawn = initialParameters(net, 1);
  const fixed: Readonly<Record<string, Tensor>> = {
    ...batchOf(batch, net.graph.inputs[0].shape.slice(1).map(Number), 4),
    "learning-rate": float32([0.5], []),
  };
  const feeds = Object.fromEntries(
    step.graph.inputs.map((input): [string, Tensor] => {
      if (Object.hasOwn(fixed, input.name)) return [input.name, fixed[input.name]];
      const { normal } = random(2).fork(input.name);
      const own = drawn[input.name]?.data ?? new Float32Array(knownShape(input).reduce((a, b) => a * b, 1)).fill(1);
      return [
        input.name,
        float32(
          own.map((x) => x + 0.1 * normal()),
          knownShape(input),
        ),
      ];
    }),
  );

  test("lowered, gives the loss, the logits and the weights that it means", async () => {
    const { graph } = compileStep(net, batch, sgd());
    const expected = interpret(step.graph, Object.fromEntries(Object.entries(feeds).map(([key, t]) => [key, fromTensor(t)])));
    const session = await createSession(serialize(graph), { threads: 1 });
    const results = await session.run(feeds);
    await session.dispose();
    step.graph.outputs.forEach((value, i) => {
      expect(largestError(numbersOf(results[graph.outputs[i].name]), expected.get(value)!.data), value.name).toBeLessThan(3e-5);
    });
  });

  test("moves every parameter", () => {
    const values = interpret(step.graph, Object.fromEntries(Object.entries(feeds).map(([key, t]) => [key, fromTensor(t)])));
    for (const { name, role, before, after } of step.variables)
      if (role === "parameter") expect(largestError(values.get(after)!.data, values.get(before)!.data), name).toBeGreaterThan(1e-9);
  });
});
