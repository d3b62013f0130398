import { expect } from "vitest";
import { createSession } from "../../core/session.node.ts";
import { initialParameters } from "../../models/network.ts";
import { hereLoader } from "../../pipeline/loader.ts";
import { createOnnxRuntimeEngine } from "../../training/engines/onnxruntime.ts";
import { fit } from "../../training/fit.ts";
import { RECIPES } from "../../training/recipes/index.ts";
import { averageOf, type RunConfig } from "../../training/run-config.ts";
import { prepareRun, type RunParts } from "../../training/run-parts.node.ts";
import { toRunConfig } from "../../training/train-options.ts";

export type RecipeName = keyof typeof RECIPES;
export const RECIPE_NAMES = Object.keys(RECIPES) as RecipeName[];

/** Creating the session of its step takes 10 to 20 seconds: it is checked in tests/end-to-end. */
export const SLOW_RECIPES: readonly RecipeName[] = [
  "flowers-scratch-densenet169",
  "flowers-finetune-top-densenet169",
  "flowers-finetune-all-densenet169",
];

async function partsOf(config: RunConfig, dataRoot: string): Promise<RunParts> {
  const events = prepareRun(config, { dataRoot });
  let step = await events.next();
  while (!step.done) step = await events.next();
  return step.value!;
}

/** A recipe on the tiny data, one epoch at each of its sizes: steps of two images, the first loss near that of guessing, which change every weight that is not frozen. A network begins with drawn weights, whatever the recipe says. */
export async function checkTwoSteps(name: RecipeName, dataRoot: string, changes: Partial<RunConfig> = {}): Promise<void> {
  const recipe = { ...toRunConfig({ recipe: name }), ...changes };
  const sizes = recipe.sizes?.map(({ size }) => ({ size, epochs: 1 }));
  const config: RunConfig = { ...recipe, validation: 2, batchSize: 2, epochs: 1 + (sizes?.length ?? 0), ...(sizes && { sizes }) };
  const { network, optimizer, schedule, preprocess, training, validation } = await partsOf(config, dataRoot);
  expect([training.length, validation.length]).toEqual([4, 2]);
  const engine = createOnnxRuntimeEngine({ network, optimizer, average: averageOf(config), createSession });
  const data = { training: hereLoader(training), validation: hereLoader(validation) };
  const { logEvery, patience, ...rest } = config;
  const all = { ...rest, ...(logEvery && { logEvery: 1 }) };
  const losses: number[] = [];
  const steps = 2 * all.epochs;
  for await (const event of fit(engine, data, { ...all, schedule, preprocess })) {
    if (event.kind === "step") losses.push(event.loss);
    if (event.kind === "end") expect(event.logs.length).toBe(logEvery ? steps : 0);
  }
  const { step, parameters } = await engine.state();
  await engine.dispose();
  expect([step, losses.length]).toEqual([steps, steps]);
  const guessing = Math.log(training.classNames.length);
  expect(losses[0], "the first loss, of a network that knows nothing").toBeGreaterThan(guessing / 3);
  expect(losses[0]).toBeLessThan(3 * guessing);
  const before = initialParameters(network, config.seed);
  for (const [parameter, { data, shape }] of Object.entries(parameters))
    if (shape.length > 1 && network.rateFactors?.get(parameter) !== 0)
      expect(
        data.some((value, i) => value !== before[parameter].data[i]),
        parameter,
      ).toBe(true);
}
