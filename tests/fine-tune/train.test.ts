import { existsSync, readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { createSession } from "../../core/session.node.ts";
import { networkOf } from "../../export/import-model.ts";
import { createNetwork } from "../../models/architectures/index.ts";
import { type Freeze, freeze } from "../../models/freeze.ts";
import { isTrained, type Network, parameterCount } from "../../models/network.ts";
import type { TrainingState } from "../../training/engine.ts";
import { createOnnxRuntimeEngine } from "../../training/engines/onnxruntime.ts";
import { trainedModel } from "../../training/export-trained.ts";
import { adam, type Optimizer, sgd } from "../../training/optimizers.ts";
import { writeStep } from "../../training/step/index.ts";
import { difference, run } from "../export/graphs.ts";
import { shared } from "../inference/photos.ts";
import { imported, numbers, smallFile, stepInput } from "./files.ts";

const names = ["a", "b", "c"];
const BATCH = 5;

const small = (wanted?: Freeze, rateFactor?: number): Network => {
  const { network, headLayers } = networkOf(imported(smallFile()), { name: "small", classNames: names });
  return wanted === undefined ? network : freeze(network, { freeze: wanted, headLayers, rateFactor });
};

interface TrainOptions {
  readonly optimizer?: Optimizer;
  readonly steps?: number;
  readonly from?: TrainingState;
  readonly average?: boolean;
  readonly count?: number;
}

/** Trains for some steps. @returns the state before and after, the losses, and the logits of the last step and of inference before it. */
async function train(network: Network, { optimizer = sgd(), steps = 3, from, average = false, count = BATCH }: TrainOptions = {}) {
  const engine = createOnnxRuntimeEngine({ network, optimizer, createSession, threads: 2, ...(average && { average: { decay: 0.9 } }) });
  try {
    await engine.initialize(from ?? { seed: 3 });
    const before = await engine.state();
    const input = stepInput(network.graph.inputs[0].shape.slice(1) as unknown as [number, number, number], count, names.length);
    const losses: number[] = [];
    let predicted = await engine.predict(input.images);
    let logits = predicted;
    for (let step = before.step; step < steps; step++) {
      if (step === steps - 1 && !average) predicted = await engine.predict(input.images);
      const [result] = await engine.train([input], [0.1]);
      losses.push(result.loss);
      logits = result.logits;
    }
    return { before, after: await engine.state(), losses, logits, predicted };
  } finally {
    await engine.dispose();
  }
}

/** Names of the tensors that a training changed. */
const changed = ({ before, after }: { readonly before: TrainingState; readonly after: TrainingState }): string[] => {
  const all = (state: TrainingState) => ({ ...state.parameters, ...state.state });
  return Object.entries(all(after)).flatMap(([name, t]) => (String(numbers(t)) === String(numbers(all(before)[name])) ? [] : [name]));
};
const operators = (network: Network): string[] => writeStep(network, BATCH, sgd()).graph.nodes.map(({ op }) => op);
const ofHead = ["head.weight", "head.bias"];
const ofSecond = ["c2.weight", "b2.weight", "b2.bias", "b2.mean", "b2.var"];
const ofFirst = ["c1.weight", "b1.weight", "b1.bias", "b1.mean", "b1.var"];

describe("what --freeze leaves", () => {
  test("backbone: only the head changes, norms answer in training as in inference, and no gradient is computed below", async () => {
    const network = small("backbone");
    const trained = await train(network);
    expect(changed(trained).sort()).toEqual([...ofHead].sort());
    expect(difference(trained.logits, trained.predicted)).toBeLessThan(1e-5);
    expect(trained.losses[2]).toBeLessThan(trained.losses[0]);
    expect(operators(network).filter((op) => /Gradient|Moments/.test(op))).toEqual([]);
    expect(parameterCount(network, true)).toBe(6 * 3 + 3);
  });

  test("none: every weight changes and every norm learns again, but for a bias that its norm takes away", async () => {
    const trained = await train(small());
    expect(changed(trained).sort()).toEqual([...ofHead, ...ofSecond, ...ofFirst].sort());
    expect(difference(trained.logits, trained.predicted)).toBeGreaterThan(1e-3);
  });

  test("1: the layer below the head trains, the others do not, nor is a gradient passed to them", async () => {
    const network = small(1);
    expect(changed(await train(network)).sort()).toEqual([...ofHead, ...ofSecond].sort());
    expect(operators(network).filter((op) => op === "ConvWeightGradient")).toHaveLength(1);
    expect(operators(network)).not.toContain("ConvInputGradient");
    expect(() => small(3)).toThrow(
      "freeze: 'small' has 2 layers with weights below its head: expected at most 2 of them to train, received 3.",
    );
  });

  test("the exported file answers as the engine does", async () => {
    const network = small(1);
    const { after } = await train(network);
    const preprocess = { resize: null, filter: "bilinear", crop: [8, 8], channels: 3, mean: [0, 0, 0], std: [1, 1, 1] } as const;
    const bytes = trainedModel(network, after, { labels: names, preprocess });
    const { images } = stepInput([3, 8, 8], BATCH, 3);
    const { predicted } = await train(network, { from: after, steps: 0 });
    expect(difference(Object.values(await run(bytes, { images }))[0], predicted)).toBeLessThan(1e-5);
  });

  test("an architecture of the package, at another size too", async () => {
    const network = freeze(createNetwork("fashion-cnn", { classes: 3 }), { freeze: 1, headLayers: 1 });
    const [norm, layer, head] = new Set(changed(await train(network)).map((name) => name.split(".")[0]));
    expect([layer, norm, head].sort()).toEqual(["bn3", "conv3", "fc"]);
    const larger = network.atSize?.([1, 32, 32]);
    expect(larger && [...larger.parameters.keys()].filter((value) => isTrained(larger, value)).map(({ name }) => name)).toEqual(
      [...network.parameters.keys()].filter((value) => isTrained(network, value)).map(({ name }) => name),
    );
  });
});

describe("rates", () => {
  test("a factor is of the step's rate: the backbone moves by a hundredth, the head as before", async () => {
    const [whole, slow] = await Promise.all([train(small("none", 1), { steps: 1 }), train(small("none", 0.01), { steps: 1 })]);
    const moved = ({ before, after }: typeof whole, name: string) =>
      numbers(after.parameters[name]).map((v, i) => v - numbers(before.parameters[name])[i]);
    const largest = Math.max(...moved(whole, "c2.weight").map(Math.abs));
    moved(slow, "c2.weight").forEach((d, i) => {
      expect(Math.abs(d - moved(whole, "c2.weight")[i] / 100)).toBeLessThan(2e-7 + 1e-3 * largest);
    });
    expect(largest).toBeGreaterThan(1e-4);
    expect(moved(slow, "head.weight")).toEqual(moved(whole, "head.weight"));
  });

  test.each([false, true])("a run that goes on is the same to the last bit, with a weights' average: %s", async (average) => {
    const options = { optimizer: adam(), average };
    const straight = await train(small(1, 0.1), { ...options, steps: 4 });
    const half = await train(small(1, 0.1), { ...options, steps: 2 });
    const rest = await train(small(1, 0.1), { ...options, steps: 4, from: half.after });
    expect(rest.after).toEqual(straight.after);
    expect(Object.keys(straight.after.slots).some((name) => name.startsWith("c1"))).toBe(false);
  });
});

const models = [
  ["squeezenet1.1-imagenet.onnx", 512, "conv25"],
  ["mobilenetv2-imagenet-headless.onnx", 1280, undefined],
] as const;
const found = existsSync(shared("models", models[0][0]));
if (!found) console.log("skipped: three steps of SqueezeNet and MobileNetV2 (no ../shared/models)");

describe.runIf(found)("published models, three steps", () => {
  test.each(models)("%s: only the head, and the whole network", { timeout: 600_000 }, async (file, features, replaced) => {
    const model = imported(new Uint8Array(readFileSync(shared("models", file))));
    expect([model.place.features.shape[1], model.place.classifier?.name]).toEqual([features, replaced]);
    const { network, headLayers } = networkOf(model, { name: file, classNames: names, head: { hidden: [16], dropout: 0.2 } });
    const head = await train(freeze(network, { freeze: "backbone", headLayers }), { count: 3, optimizer: sgd({ momentum: 0.9 }) });
    expect(changed(head).sort()).toEqual(["head.0.bias", "head.0.weight", "head.3.bias", "head.3.weight"]);
    const whole = await train(freeze(network, { freeze: "none", headLayers, rateFactor: 0.01 }), { count: 3 });
    expect(changed(whole)).toHaveLength(network.parameters.size);
    for (const loss of [...head.losses, ...whole.losses]) expect(loss).toBeGreaterThan(0);
    expect(head.losses[0]).toBeCloseTo(whole.losses[0], 4);
  });
});
