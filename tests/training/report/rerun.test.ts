import { expect, test } from "vitest";
import { parseAugmentations } from "../../../pipeline/augmentations/text.ts";
import { trainCommand } from "../../../training/command.ts";
import { RECIPES } from "../../../training/recipes/index.ts";
import type { Recipe } from "../../../training/recipes/recipe.ts";
import { trainCommandOf } from "../../../training/report/rerun.ts";
import { completed, type RunConfig } from "../../../training/run-config.ts";
import { newRunConfig, type TrainOptions } from "../../../training/train-options.ts";

/** A recipe with everything on that can be turned off. */
const ALL_ON: Recipe = {
  summary: "",
  options: {
    model: "fashion-cnn",
    data: "fashion-mnist-sample",
    preprocess: { mean: [0.4], std: [0.5] },
    optimizer: "sgd",
    momentum: 0.9,
    nesterov: true,
    head: [32],
    dropout: 0.25,
    augmentations: [{ kind: "color-jitter", hue: 0.1 }],
    sizes: [{ size: 24, epochs: 2 }],
    ema: 0.99,
    emaWarmup: true,
    tensorboard: true,
    patience: 3,
    logEvery: 40,
  },
  expected: [],
  source: "",
};
const recipes: Readonly<Record<string, Recipe>> = { ...RECIPES, "all-on": ALL_ON };

/** A shell's words: bare, or between single quotes. */
const wordsOf = (command: string): string[] =>
  Array.from(command.matchAll(/(?:'[^']*'|\\'|[^\s'])+/g), ([word]) => word.replace(/\\'|'([^']*)'/g, (_, quoted = "'") => quoted));

/** The config of a run that is begun by a command. */
async function configOf(command: string): Promise<RunConfig> {
  let options: TrainOptions = {};
  const parser = trainCommand().action((given: TrainOptions) => {
    options = given;
  });
  await parser.parseAsync(wordsOf(command).slice(2), { from: "user" });
  return completed(await newRunConfig(options, recipes));
}

const off = "--no-nesterov --augment none --sizes none --no-ema-warmup --ema 0 --no-tensorboard --patience 0 --log-every 0";
const own = "fivecrop train --model minivgg-bn --data miniplaces";

test.each([
  ...Object.keys(recipes).map((name) => `fivecrop train --recipe ${name}`),
  own,
  `${own} --head none --preprocess '{"crop":[32,32]}' --optimizer sgd --momentum 0.9 --nesterov --schedule step:5+warmup:3`,
  `fivecrop train --recipe cifar-convnet --augment none --optimizer adamw --preprocess '{"mean":[0,0,0]}'`,
  `fivecrop train --recipe fashion-lenet-bn --model fashion-cnn`,
  `fivecrop train --recipe all-on ${off} --head own`,
  `fivecrop train --recipe all-on --head none --dropout 0 --ema 0`,
  `fivecrop train --recipe all-on --model lenet-bn --optimizer adam --no-nesterov`,
])("what is printed runs the same again: %s", async (command) => {
  const config = await configOf(command);
  expect(await configOf(trainCommandOf(config, recipes))).toEqual(config);
});

test("what a recipe has can be turned off, and fields of its preprocessing changed", async () => {
  const plain = await configOf(`fivecrop train --recipe all-on ${off} --head own --preprocess '{"mean":[0]}'`);
  expect(plain).toMatchObject({ nesterov: false, augmentations: [], sizes: [], emaWarmup: false, ema: 0, tensorboard: false, patience: 0 });
  expect(plain.preprocess).toEqual({ mean: [0], std: [0.5] });
  expect([plain.head, plain.dropout]).toEqual([undefined, undefined]);
  const other = await configOf("fivecrop train --recipe all-on --model lenet-bn --optimizer adam");
  expect([other.head, other.dropout, other.momentum, other.ema]).toEqual([undefined, undefined, undefined, 0.99]);
});

test("how a network's source draws its weights is written down, and not carried to another network", async () => {
  const of = async (model: string) => (await configOf(`fivecrop train --recipe fashion-lenet-bn --model ${model}`)).initialization;
  expect([await of("lenet-bn"), await of("alexnet"), await of("fashion-cnn")]).toEqual(["xavier-uniform", "xavier-uniform", undefined]);
});

test("no share for validation where the data bring their own; augmentations with all their numbers", async () => {
  expect(await configOf(own)).not.toHaveProperty("validation");
  expect((await configOf("fivecrop train --recipe all-on")).augmentations).toEqual(parseAugmentations("color-jitter:0.4,0.4,0.4,0.1"));
});
