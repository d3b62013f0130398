import { beforeAll, describe, expect, test } from "vitest";
import { ARCHITECTURES } from "../../models/architectures/index.ts";
import { initialParameters } from "../../models/network.ts";
import { SHIPPED } from "../../models/shipped.ts";
import { parseAugmentations } from "../../pipeline/augmentations/text.ts";
import { DATASETS, datasetEntry } from "../../pipeline/datasets/index.ts";
import { RECIPES } from "../../training/recipes/index.ts";
import type { Recipe } from "../../training/recipes/recipe.ts";
import { completed, DEFAULTS, modelOf } from "../../training/run-config.ts";
import { parseSchedule } from "../../training/schedules.ts";
import { parseSizes, toRunConfig } from "../../training/train-options.ts";
import { checkTwoSteps, RECIPE_NAMES, type RecipeName, SLOW_RECIPES } from "./recipe-steps.ts";
import { tinyData } from "./tiny-data.ts";

/** What each is to be, by the experiments' own numbers: its network, on [C, H, W], its optimizer, rate, batch size and epochs. */
const TABLE: Readonly<Partial<Record<RecipeName, readonly [string, readonly number[], string, number, number, number]>>> = {
  "scenes-minivgg": ["minivgg", [3, 64, 64], "sgd, momentum 0.9", 0.01, 128, 20],
  "scenes-minivgg-bn": ["minivgg-bn", [3, 64, 64], "sgd, momentum 0.9", 0.01, 128, 20],
  "scenes-resnet": ["mini-resnet", [3, 64, 64], "sgd, momentum 0.9", 0.01, 128, 20],
  "fashion-cnn": ["fashion-cnn", [1, 28, 28], "adam", 0.01, 60, 5],
  "fashion-alexnet": ["alexnet", [1, 224, 224], "sgd", 0.01, 128, 5],
  "fashion-vgg11-small": ["vgg11-small", [1, 224, 224], "sgd", 0.05, 128, 5],
  "fashion-resnet18": ["resnet18-gray", [1, 96, 96], "sgd", 0.05, 256, 5],
  "fashion-lenet-bn": ["lenet-bn", [1, 28, 28], "sgd", 1, 256, 10],
  "cifar-convnet": ["cifar-convnet", [3, 32, 32], "sgd, weightDecay 0.0001", 0.1, 100, 10],
  "cifar-convnet-step": ["cifar-convnet", [3, 32, 32], "sgd, weightDecay 0.0001", 0.1, 100, 10],
  "cifar-convnet-no-bn": ["cifar-convnet-no-bn", [3, 32, 32], "sgd, weightDecay 0.0001", 0.1, 100, 10],
  "flowers-scratch-densenet169": ["densenet169", [3, 224, 224], "adam", 0.001, 32, 10],
  "flowers-scratch-resnet18": ["resnet18", [3, 224, 224], "adam", 0.001, 32, 10],
  "flowers-scratch-convnet1": ["convnet1", [3, 224, 224], "adam", 0.001, 32, 10],
  "flowers-scratch-convnet2": ["convnet2", [3, 224, 224], "adam", 0.001, 32, 10],
  "flowers-scratch-convnet3": ["convnet3", [3, 224, 224], "adam", 0.001, 32, 10],
};

/** What the experiments on a data set share; fashion-cnn has its own. */
const NORMALIZATION = {
  miniplaces: { mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] },
  "flowers-102": { mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] },
  "cifar-10": { mean: [0.5, 0.5, 0.5], std: [0.5, 0.5, 0.5] },
  "fashion-mnist": { mean: [0], std: [1] },
};

const head = [48, 32];
/** Smaller images, and narrower heads where most weights are: the recipe and every operator of its network stay. */
const SMALLER: Readonly<Partial<Record<RecipeName, { readonly crop?: number; readonly head?: readonly number[] }>>> = {
  "fashion-alexnet": { head, crop: 67 },
  "fashion-vgg11-small": { head, crop: 32 },
  "fashion-resnet18": { crop: 48 },
  "flowers-finetune-top-resnet18": { crop: 64 },
  "flowers-finetune-all-resnet18": { crop: 64 },
  "flowers-scratch-resnet18": { crop: 64 },
  "flowers-scratch-convnet1": { crop: 64 },
  "flowers-scratch-convnet2": { crop: 64 },
  "flowers-scratch-convnet3": { crop: 64 },
};

let root: string;
beforeAll(async () => {
  root = await tinyData();
});

/** Those whose options are chosen here: for the best accuracy, and for networks that have weights already. */
const isOwn = (name: RecipeName): boolean => name.endsWith("-best") || name.startsWith("flowers-finetune");

describe.each(RECIPE_NAMES)("%s", (name) => {
  const { options, expected, source, summary }: Recipe = RECIPES[name];

  test("names what there is, and says what is expected and why", () => {
    expect([...Object.keys(ARCHITECTURES), ...Object.keys(SHIPPED)]).toContain(options.model);
    expect(Object.keys(DATASETS)).toContain(options.data);
    expect(summary.length).toBeGreaterThan(10);
    expect(source.length).toBeGreaterThan(10);
    for (const { share } of expected) for (const each of [share].flat()) expect(each > 0 && each < 1).toBe(true);
  });

  if (!isOwn(name))
    test("is the experiment", async () => {
      const config = toRunConfig({ recipe: name });
      const { optimizer, momentum, weightDecay, model, learningRate, batchSize, epochs } = config;
      const { network, preprocess } = modelOf(config, (await datasetEntry(config.data)).defaultPreprocess);
      const rule = [optimizer, momentum && `momentum ${momentum}`, weightDecay && `weightDecay ${weightDecay}`].filter(Boolean).join(", ");
      expect([model, network.graph.inputs[0].shape.slice(1), rule, learningRate, batchSize, epochs]).toEqual(TABLE[name]);
      const { mean, std } = name === "fashion-cnn" ? { mean: [0.5], std: [0.5] } : NORMALIZATION[config.data as keyof typeof NORMALIZATION];
      expect(preprocess).toMatchObject({ mean, std });
    });

  if (!SLOW_RECIPES.includes(name))
    test("takes two steps on a few images, and they change the weights", () => {
      const { crop, ...smaller } = SMALLER[name] ?? {};
      return checkTwoSteps(name, root, { ...smaller, ...(crop && { preprocess: { ...options.preprocess, crop: [crop, crop] } }) });
    });
});

test("the rest of what the experiments say", () => {
  const of = (name: RecipeName) => toRunConfig({ recipe: name });
  for (const name of RECIPE_NAMES.filter((each) => !isOwn(each))) {
    const { data, validation, augmentations, schedule, logEvery } = of(name);
    const { initialization } = completed(of(name));
    expect(initialization, name).toBe(data === "fashion-mnist" && name !== "fashion-cnn" ? "xavier-uniform" : undefined);
    if (data === "fashion-mnist") expect(validation, name).toBe(name === "fashion-cnn" ? 12_000 : 10_000);
    const kinds = { "fashion-mnist": [], miniplaces: [], "cifar-10": ["flip"], "flowers-102": ["random-resized-crop", "flip"] }[data];
    expect(
      augmentations.map(({ kind }) => kind),
      name,
    ).toEqual(kinds);
    expect(logEvery, name).toBe(data === "flowers-102" ? 40 : undefined);
    const other = { "fashion-cnn": "exponential:0.999/step", "cifar-convnet-step": "step:5,0.5/epoch" }[name as string];
    expect(schedule, name).toBe(other ?? "constant");
  }
  const halved = parseSchedule(of("cifar-convnet-step").schedule);
  const rates = Array.from({ length: 10 }, (_, epoch) => halved.factor({ step: 450 * epoch, epoch }, { steps: 4500, epochs: 10 }));
  expect(rates).toEqual([1, 1, 1, 1, 1, 0.5, 0.5, 0.5, 0.5, 0.5]);
});

test("fine-tuning trains a head on weights that stay, or everything, what has weights slowly", () => {
  for (const network of ["densenet169", "resnet18", "mobilenetv2"] as const) {
    const [top, all] = (["top", "all"] as const).map((regime) => toRunConfig({ recipe: `flowers-finetune-${regime}-${network}` }));
    expect([top.freeze, all.freeze, top.learningRateBackbone, all.learningRateBackbone]).toEqual(["backbone", "none", undefined, 1e-4]);
    for (const { optimizer, batchSize, epochs, logEvery, data } of [top, all])
      expect([optimizer, batchSize, epochs, logEvery, data]).toEqual(["adam", 32, 5, 40, "flowers-102"]);
  }
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
