import { describe, expect, test } from "vitest";
import { createSession } from "../../core/session.node.ts";
import { scalar } from "../../core/tensor.ts";
import { serialize } from "../../export/serialize.ts";
import { createNetwork } from "../../models/architectures/index.ts";
import { batchNorm, conv2d, flatten, linear, relu, sequential } from "../../models/layers/index.ts";
import { network } from "../../models/network.ts";
import { graphBuilder } from "../../models/ops/index.ts";
import { reshape } from "../../models/ops/shared.ts";
import { createOnnxRuntimeEngine } from "../../training/engines/onnxruntime.ts";
import { createVariableMemory } from "../../training/engines/variable-memory.ts";
import { startOf } from "../../training/engines/variables.ts";
import { adam, adamw, type Optimizer, sgd } from "../../training/optimizers.ts";
import { writtenInPlace } from "../../training/step/in-place.ts";
import { compileStep } from "../../training/step/index.ts";
import { rateNames } from "../../training/step/update.ts";
import { averageFactorsAt } from "../../training/weight-average.ts";
import { batchOf } from "./batch-of.ts";
import { runtimeThat } from "./runtime.ts";

const RULES: readonly [string, Optimizer][] = [
  ["sgd", sgd()],
  ["momentum", sgd({ momentum: 0.9 })],
  ["Nesterov's momentum, with weight decay", sgd({ momentum: 0.9, nesterov: true, weightDecay: 0.1 })],
  ["adam", adam()],
  ["adam with weight decay", adam({ weightDecay: 0.1 })],
  ["adamw", adamw()],
];
const small = network("small", sequential([conv2d(4, 3), batchNorm, relu, conv2d(6, 3), flatten, linear(9), relu, linear(3)]), {
  input: [1, 8, 8],
});
const average = { decay: 0.9 };

/** Five steps of a memory that writes in place what it may, or nothing. */
async function trained(optimizer: Optimizer, inPlace: boolean, threads: number) {
  const step = compileStep(small, 5, optimizer, { average });
  const session = await createSession(serialize(step.graph), { threads });
  const memory = createVariableMemory(createSession, "cpu");
  await memory.set(startOf({ network: small, optimizer, average }, { seed: 3 }).variables, new Set());
  const first = Object.fromEntries(Object.entries(await memory.read()).map(([name, { data }]) => [name, data]));
  const names = inPlace ? writtenInPlace(step) : new Set<string>();
  const seen: Record<string, Float32Array>[] = [];
  for (let at = 1; at <= 5; at++) {
    const rates = [0.05, ...optimizer.factorsAt(at), ...averageFactorsAt(average, at)];
    const feeds = Object.fromEntries(rateNames(optimizer, average).map((name, i) => [name, scalar(rates[i])]));
    await memory.step(session, { ...feeds, ...batchOf(5, [1, 8, 8], 3, at) }, {}, { variables: step.variables, inPlace: names });
    seen.push(Object.fromEntries(Object.entries(await memory.read()).map(([name, { data }]) => [name, data.slice()])));
  }
  const stayed = Object.entries(await memory.read()).flatMap(([name, { data }]) => (data === first[name] ? [name] : []));
  await memory.dispose();
  await session.dispose();
  return { seen, stayed };
}

describe("variables that are written where they lie", () => {
  test.each(RULES)("%s: slots, running statistics and averages, and no parameter", (_, optimizer) => {
    for (const net of [small, createNetwork("mini-resnet")]) {
      const step = compileStep(net, 4, optimizer, { average });
      const expected = step.variables.filter(({ role }) => role !== "parameter").map(({ name }) => name);
      expect([...writtenInPlace(step)].sort()).toEqual(expected.sort());
    }
  });

  test.each(RULES)("%s: after every step the same to the bit as with memory of their own", async (_, optimizer) => {
    for (const threads of [1, 2]) {
      const [inPlace, apart] = [await trained(optimizer, true, threads), await trained(optimizer, false, threads)];
      expect(inPlace.seen).toEqual(apart.seen);
      expect(apart.stayed).toEqual([]);
      expect(inPlace.stayed).toContain("0.weight/average");
      expect(inPlace.stayed).not.toContain("0.weight");
    }
  });

  test("not one that something reads which need not come before, nor one that is read through a view", () => {
    const g = graphBuilder();
    const [late, viewed, plain] = ["late", "viewed", "plain"].map((name) => g.input(name, "float32", [4]));
    const decayed = (value: typeof late) => g.add("Mul", [value, g.scalar(0.9)]);
    const next = [late, viewed, plain].map((value) =>
      g.add("Add", [value === viewed ? decayed(reshape(g, value, [4])) : decayed(value), g.scalar(1)]),
    );
    const view = g.add("Add", [decayed(reshape(g, viewed, [2, 2])), reshape(g, next[1], [2, 2])]);
    const graph = g.build("g", [...next, view, g.add("Sub", [late, g.scalar(1)])]);
    const variables = [late, viewed, plain].map((before, i) => ({ name: before.name, role: "slot" as const, before, after: next[i] }));
    expect([...writtenInPlace({ graph, variables, noise: [] })]).toEqual(["plain"]);
  });

  test("after a step that failed they are of none: they are neither read nor trained on before a new start", async () => {
    let fails = false;
    const failing = runtimeThat((_results, images) => {
      if (fails && images.length) throw new Error("the power went");
    });
    const engine = createOnnxRuntimeEngine({ network: small, optimizer: sgd({ momentum: 0.9 }), createSession: failing });
    await engine.initialize({ seed: 1 });
    const batch = batchOf(5, [1, 8, 8], 3);
    await engine.train([batch], [0.1]);
    const kept = await engine.state();
    const copy = structuredClone(kept);
    fails = true;
    await expect(engine.train([batch], [0.1])).rejects.toThrow("the power went");
    fails = false;
    for (const use of [() => engine.state(), () => engine.train([batch], [0.1]), () => engine.predict(batch.images)])
      await expect(use()).rejects.toThrow("the last step failed while it wrote them. To fix: initialize the engine again");
    expect(kept).toEqual(copy);
    await engine.initialize(kept);
    await engine.train([batch], [0.1]);
    const after = await engine.state();
    expect(after.step).toBe(2);
    const other = createOnnxRuntimeEngine({ network: small, optimizer: sgd({ momentum: 0.9 }), createSession });
    await other.initialize({ seed: 1 });
    await other.train([batch, batch], [0.1, 0.1]);
    expect(await other.state()).toEqual(after);
    await engine.dispose();
    await other.dispose();
  });
});
