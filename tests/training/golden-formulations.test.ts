import { describe, expect, test } from "vitest";
import { createSession } from "../../core/session.node.ts";
import { numbersOf, scalar, type Tensor } from "../../core/tensor.ts";
import { serialize } from "../../export/serialize.ts";
import { knownShape } from "../../models/graph/graph.ts";
import type { OpName } from "../../models/ops/index.ts";
import { initialState, noiseAt } from "../../training/engines/variables.ts";
import { sgd } from "../../training/optimizers.ts";
import { LOGITS, LOSS, writeStep } from "../../training/step/index.ts";
import { FORMULATIONS } from "../../training/step/lower/index.ts";
import { lower } from "../../training/step/lower/lower.ts";
import { type Selection, select } from "../../training/step/select.ts";
import type { TrainingGraph } from "../../training/step/training-graph.ts";
import { GOLDEN_NETWORKS, type Golden, goldenBatch, goldenNetwork, goldenParameters, readGolden } from "./golden.ts";
import { expectStep, GRADIENT_SCALE, gradientsOf, SLOWEST, type StepShown } from "./golden-checks.ts";

/** The small networks by every name, and others for what these have not: branches that add, global and adaptive pools, strides of 2, kernels of 1×1. */
const NETWORKS = ["fashion-cnn", "lenet-bn", "convnet2", "minivgg", "mini-resnet", "resnet18-gray"];
const BY_EVERY_NAME = 2;
const NAMES = [...new Set(Object.values(FORMULATIONS).flatMap((all) => all.map(({ name }) => name)))];

/** One step of the written graph, its nodes computed as selected. */
async function stepBy(golden: Golden, { graph, variables, noise }: TrainingGraph, selection: Selection): Promise<StepShown> {
  const network = goldenNetwork(golden);
  const parameters = goldenParameters(golden, network);
  const { state } = initialState({ network, optimizer: sgd() }, 0);
  const { images, targets } = goldenBatch(golden);
  const feeds: Record<string, Tensor> = { images, targets, "learning-rate": scalar(GRADIENT_SCALE), ...parameters, ...state };
  for (const { node, value } of noise) feeds[value.name] = noiseAt(0, 0, node, knownShape(value));
  const lowered = lower(graph, selection);
  const session = await createSession(serialize(lowered), { threads: 1 });
  const results = await session.run(Object.fromEntries(session.inputs.map(({ name }) => [name, feeds[name]])));
  await session.dispose();
  const found = lowered.outputs.map(({ name }) => results[name] as Tensor<"float32">);
  const after = variables.flatMap(({ name, role, after }) =>
    role === "parameter" ? [[name, found[graph.outputs.indexOf(after)]] as const] : [],
  );
  return { loss: numbersOf(found[LOSS])[0], logits: found[LOGITS], gradients: gradientsOf(parameters, Object.fromEntries(after)) };
}

/** The names in a selection, node by node: two selections of the same compute the same. */
const formulationsIn = (selection: Selection): string[] => [...selection.values()].map(({ formulation }) => formulation.name);

const written = (golden: Golden): TrainingGraph => writeStep(goldenNetwork(golden), golden.input[0], sgd());

/** The names of what can compute some node of a graph on the processor. */
const applicable = ({ graph }: TrainingGraph): string[] =>
  graph.nodes.flatMap((node) =>
    FORMULATIONS[node.op as OpName].flatMap((formulation) => {
      const plan = formulation.plan(node, (value) => graph.initializers.get(value));
      return plan && (plan.devices?.includes("cpu") ?? true) ? [formulation.name] : [];
    }),
  );

const tried = new Set<string>();
const cases = NETWORKS.map((net, i) => {
  const golden = readGolden(net);
  const step = written(golden);
  const seen = new Set<string>();
  const ways = NAMES.flatMap((name) => {
    if (i >= BY_EVERY_NAME && tried.has(name)) return [];
    const selection = select(step.graph, "cpu", name);
    const used = formulationsIn(selection);
    if (!used.includes(name)) return [];
    tried.add(name);
    if (seen.has(String(used))) return [];
    seen.add(String(used));
    return [{ name, selection }];
  });
  return { net, golden, step, ways };
});

describe.each(cases)("the golden of $net holds by", ({ golden, step, ways }) => {
  test.each(ways)("$name, wherever that applies", async ({ selection }) => {
    expectStep(golden, await stepBy(golden, step, selection));
  });
});

test("between these networks every formulation is tried that a golden's network can take on the processor", () => {
  const others = GOLDEN_NETWORKS.filter((net) => !NETWORKS.includes(net) && !SLOWEST.includes(net));
  const possible = new Set(others.flatMap((net) => applicable(written(readGolden(net)))));
  expect([...possible].filter((name) => !tried.has(name))).toEqual([]);
  expect(tried.size).toBeGreaterThan(15);
});
