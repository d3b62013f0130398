import { describe, expect, test } from "vitest";
import { random } from "../../core/random.ts";
import { createSession } from "../../core/session.node.ts";
import { scalar, type Tensor, tensor } from "../../core/tensor.ts";
import { serialize } from "../../export/serialize.ts";
import { countUses, knownShape } from "../../models/graph/graph.ts";
import { batchNorm, conv2d, flatten, linear, maxPool2d, relu, sequential } from "../../models/layers/index.ts";
import { type Network, network } from "../../models/network.ts";
import { adam, adamw, type Optimizer, sgd } from "../../training/optimizers.ts";
import { lowerStep, writeStep } from "../../training/step/index.ts";
import { rateNames } from "../../training/step/update.ts";
import { averageFactorsAt, type WeightAverage } from "../../training/weight-average.ts";
import { batchOf } from "./batch-of.ts";

const layers = [conv2d(4, 3), batchNorm, relu, conv2d(6, 3), batchNorm, relu, maxPool2d(2), flatten, linear(9), relu, linear(3)];
const plain = network("net", sequential(layers), { input: [1, 8, 8] });
const BATCH = 5;

/** Steps from random variables: what each leaves. Where it is to run says whether vectors are updated together; here it runs on the processor both times. */
async function steps(net: Network, optimizer: Optimizer, device: "cpu" | "webgpu", average?: WeightAverage) {
  const { graph, variables } = lowerStep(writeStep(net, BATCH, optimizer, { average, device }));
  const session = await createSession(serialize(graph), { threads: 1 });
  let now: Record<string, Tensor> = Object.fromEntries(
    variables.map(({ before: { name }, before }): [string, Tensor] => {
      const { normal } = random(3).fork(name);
      const isPositive = name.includes("running_var") || name.includes("second-moment");
      const draw = () => (isPositive ? 0.5 + normal() ** 2 : normal());
      const shape = knownShape(before);
      return [name, tensor("float32", shape, Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, draw))];
    }),
  );
  const seen = [now];
  for (let step = 1; step <= 3; step++) {
    const rates = [0.05, ...optimizer.factorsAt(step), ...(average ? averageFactorsAt(average, step) : [])];
    const feeds = Object.fromEntries(rateNames(optimizer, average).map((name, i) => [name, scalar(rates[i])]));
    const results = await session.run({ ...now, ...feeds, ...batchOf(BATCH, [1, 8, 8], 3, step) });
    now = Object.fromEntries(variables.map(({ before, after }) => [before.name, results[after.name]]));
    seen.push(now);
  }
  await session.dispose();
  return { graph, seen };
}

describe("small vectors are updated together", () => {
  test.each<[string, Optimizer]>([
    ["sgd", sgd()],
    ["sgd with weight decay", sgd({ weightDecay: 0.1 })],
    ["momentum", sgd({ momentum: 0.9 })],
    ["Nesterov's momentum, with weight decay", sgd({ momentum: 0.9, nesterov: true, weightDecay: 0.1 })],
    ["adam", adam()],
    ["adam with weight decay", adam({ weightDecay: 0.1 })],
    ["adamw", adamw()],
  ])("%s: with and without an average, to the bit what each is alone", async (_, optimizer) => {
    for (const average of [undefined, { decay: 0.9 }]) {
      const [together, alone] = [await steps(plain, optimizer, "cpu", average), await steps(plain, optimizer, "webgpu", average)];
      expect(together.seen).toEqual(alone.seen);
      expect(together.graph.nodes.length).toBeLessThan(alone.graph.nodes.length - 10);
      expect(alone.graph.nodes.some(({ op }) => op === "Split")).toBe(false);
    }
  });

  test("those of another rate factor by themselves", async () => {
    const factors = ["0.bias", "1.bias", "3.bias", "4.bias"].map((name) => [name, 2] as const);
    const net = { ...plain, rateFactors: new Map(factors) };
    const [together, alone] = [await steps(net, sgd(), "cpu"), await steps(net, sgd(), "webgpu")];
    expect(together.seen).toEqual(alone.seen);
    expect(together.seen).not.toEqual((await steps(plain, sgd(), "cpu")).seen);
    const splits = together.graph.nodes.filter(({ op }) => op === "Split");
    expect(splits.map(({ outputs }) => outputs.length)).toEqual([4, 4, 4]); // factor 1, factor 2, running statistics
  });

  test("a bias that a norm takes away has no gradient, and moves by the velocity that it came with", async () => {
    const { seen } = await steps(plain, sgd({ momentum: 0.9 }), "cpu");
    const [before, after] = seen;
    const velocity = (before["0.bias/velocity"].data as Float32Array).map((v) => Math.fround(v * Math.fround(0.9)));
    expect(after["0.bias/velocity"].data).toEqual(velocity);
    expect(after["0.bias"].data).toEqual(velocity.map((v, i) => Number(before["0.bias"].data[i]) - Math.fround(v * Math.fround(0.05))));
  });

  test("large ones and matrices stay alone, and so do two vectors", () => {
    const wide = network("wide", sequential([flatten, linear(5000), relu, linear(7), relu, linear(4)]), { input: [1, 2, 2] });
    const { graph, variables } = writeStep(wide, 2, sgd());
    expect(graph.nodes.some(({ op }) => op === "Split" || op === "Concat")).toBe(false);
    const uses = countUses(graph);
    for (const { after } of variables) expect(uses.get(after)).toBe(1);
  });
});
