import { describe, expect, test } from "vitest";
import { random } from "../../core/random.ts";
import { createSession } from "../../core/session.node.ts";
import { ARCHITECTURES } from "../../models/architectures/index.ts";
import { initialParameters } from "../../models/network.ts";
import { parseAugmentations } from "../../pipeline/augmentations/text.ts";
import { inMemory } from "../../pipeline/dataset.ts";
import { DATASETS, datasetEntry } from "../../pipeline/datasets/index.ts";
import { createImage } from "../../pipeline/image.ts";
import { hereLoader } from "../../pipeline/loader.ts";
import { createOnnxRuntimeEngine } from "../../training/engines/onnxruntime.ts";
import { fit } from "../../training/fit.ts";
import { RECIPES } from "../../training/recipes/index.ts";
import type { Recipe } from "../../training/recipes/recipe.ts";
import { averageOf, DEFAULTS, modelOf, optimizerOf, type RunConfig } from "../../training/run-config.ts";
import { parseSchedule } from "../../training/schedules.ts";
import { parseSizes, toRunConfig } from "../../training/train-options.ts";

const recipes = Object.entries<Recipe>(RECIPES);

describe.each(recipes)("%s", (name, { options, expected, source, summary }) => {
  test("names what there is, and says what is expected and why", () => {
    expect(Object.keys(ARCHITECTURES)).toContain(options.model);
    expect(Object.keys(DATASETS)).toContain(options.data);
    expect(summary.length).toBeGreaterThan(10);
    expect(source.length).toBeGreaterThan(10);
    for (const { share } of expected) for (const each of [share].flat()) expect(each > 0 && each < 1).toBe(true);
  });

  test("takes two steps on a few images, and they change the weights", async () => {
    const config: RunConfig = { ...toRunConfig({ recipe: name }), batchSize: 3, epochs: 2 };
    const { defaultPreprocess } = await datasetEntry(config.data);
    const [height, width] = defaultPreprocess.crop;
    const { network, preprocess } = modelOf(config, defaultPreprocess);
    const noise = random(1);
    const classNames = Array.from({ length: Number(network.graph.outputs[0].shape[1]) }, (_, i) => `class ${i}`);
    const images = Array.from({ length: 3 }, () =>
      createImage(
        width,
        height,
        defaultPreprocess.channels,
        Uint8Array.from({ length: width * height * defaultPreprocess.channels }, () => noise.integer(256)),
      ),
    );
    const dataset = inMemory({ name, classNames, images, labels: [0, 1, 2] });
    const engine = createOnnxRuntimeEngine({ network, optimizer: optimizerOf(config), average: averageOf(config), createSession });
    const data = { training: hereLoader(dataset), validation: hereLoader(dataset) };
    const { logEvery, sizes, ...rest } = config;
    const losses: number[] = [];
    for await (const event of fit(engine, data, { ...rest, schedule: parseSchedule(config.schedule), preprocess }))
      if (event.kind === "step") losses.push(event.loss);
    const { step, parameters } = await engine.state();
    await engine.dispose();
    expect(step).toBe(2);
    expect(losses.every(Number.isFinite)).toBe(true);
    const before = initialParameters(network, config.seed);
    expect(Object.keys(parameters).some((each) => parameters[each].data.some((value, i) => value !== before[each].data[i]))).toBe(true);
  });
});

describe("a run's config", () => {
  test("begins with the recipe's options over the defaults; any option overrides them", () => {
    const { options } = RECIPES["fashion-cnn"];
    expect(toRunConfig({ recipe: "fashion-cnn" })).toEqual({ ...DEFAULTS, ...options, recipe: "fashion-cnn" });
    const changed = toRunConfig({
      recipe: "fashion-cnn",
      epochs: 2,
      lr: 0.1,
      data: "fashion-mnist-sample",
      ema: 0.99,
      initialization: "he-normal-fan-out",
    });
    expect(changed).toEqual({
      ...DEFAULTS,
      ...options,
      recipe: "fashion-cnn",
      epochs: 2,
      learningRate: 0.1,
      data: "fashion-mnist-sample",
      ema: 0.99,
      initialization: "he-normal-fan-out",
    });
    expect(toRunConfig({ recipe: "fashion-cnn", augment: parseAugmentations("none") }).augmentations).toEqual([]);
    expect(toRunConfig({ recipe: "fashion-cnn", sizes: parseSizes("none") }).sizes).toEqual([]);
    expect(() => toRunConfig({ recipe: "fashion-cn" })).toThrow("unknown recipe 'fashion-cn'. Did you mean 'fashion-cnn'?");
  });

  test("preprocessing, and the input's size, can be the run's own", () => {
    const config = toRunConfig({ model: "lenet-bn", data: "fashion-mnist", preprocess: { mean: [0], std: [1] } });
    const standard = DATASETS["fashion-mnist"].defaultPreprocess;
    expect(modelOf(config, standard).preprocess).toEqual({ ...standard, mean: [0], std: [1] });
    const larger = modelOf({ ...config, model: "minivgg", preprocess: { crop: [80, 80] } }, standard);
    expect(larger.preprocess).toEqual({
      ...standard,
      resize: 80,
      crop: [80, 80],
      channels: 3,
      mean: [0.5, 0.5, 0.5],
      std: [0.5, 0.5, 0.5],
    });
    expect(larger.network.graph.inputs[0].shape).toEqual(["N", 3, 80, 80]);
    expect(() => modelOf({ ...config, preprocess: { std: [0] } }, standard)).toThrow("preprocess.std: expected a number above 0");
    expect(() => modelOf({ ...config, preprocess: { means: [0] } as object }, standard)).toThrow("Did you mean 'mean'?");
  });

  test("Xavier's initialization draws weights, and leaves biases and norms as they are", () => {
    const config = toRunConfig({ model: "fashion-cnn", data: "fashion-mnist" });
    const standard = DATASETS["fashion-mnist"].defaultPreprocess;
    const [own, xavier] = [config, { ...config, initialization: "xavier-uniform" as const }].map((each) =>
      initialParameters(modelOf(each, standard).network, 7),
    );
    for (const [name, { shape, data }] of Object.entries(xavier)) {
      if (shape.length === 1) expect(data, name).toEqual(own[name].data);
      else {
        const window = shape.slice(2).reduce((a, b) => a * b, 1);
        const bound = Math.sqrt(6 / ((shape[0] + shape[1]) * window));
        const largest = data.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
        expect(largest, name).toBeLessThanOrEqual(Math.fround(bound));
        expect(largest, name).toBeGreaterThan(0.9 * bound);
        expect(data, name).not.toEqual(own[name].data);
      }
    }
    expect(() => modelOf({ ...config, initialization: "xaviar-uniform" as "xavier-uniform" }, standard)).toThrow(
      "Did you mean 'xavier-uniform'?",
    );
  });
});
