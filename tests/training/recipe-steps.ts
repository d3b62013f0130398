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
export const SLOW_RECIPES: readonly RecipeName[] = ["flowers-scratch-densenet169"];

async function partsOf(config: RunConfig, dataRoot: string): Promise<RunParts> {
  const events = prepareRun(config, { dataRoot });
  let step = await events.next();
  while (!step.done) step = await events.next();
  return step.value!;
}

/** One epoch of a recipe on the tiny data: two steps of two images, whose losses are numbers and which change every weight. */
export async function checkTwoSteps(name: RecipeName, dataRoot: string, changes: Partial<RunConfig> = {}): Promise<void> {
  const config: RunConfig = { ...toRunConfig({ recipe: name }), validation: 2, batchSize: 2, epochs: 1, ...changes };
  const { network, optimizer, schedule, preprocess, training, validation } = await partsOf(config, dataRoot);
  expect([training.length, validation.length]).toEqual([4, 2]);
  const engine = createOnnxRuntimeEngine({ network, optimizer, average: averageOf(config), createSession });
  const data = { training: hereLoader(training), validation: hereLoader(validation) };
  const { sizes, logEvery, ...rest } = config;
  const losses: number[] = [];
  for await (const event of fit(engine, data, { ...rest, schedule, preprocess, ...(logEvery && { logEvery: 1 }) })) {
    if (event.kind === "step") losses.push(event.loss);
    if (event.kind === "end") expect(event.logs.length).toBe(logEvery ? 2 : 0);
  }
  const { step, parameters } = await engine.state();
  await engine.dispose();
  expect(step).toBe(2);
  expect(losses.length).toBe(2);
  expect(losses.every(Number.isFinite)).toBe(true);
  const before = initialParameters(network, config.seed);
  for (const [parameter, { data, shape }] of Object.entries(parameters))
    if (shape.length > 1)
      expect(
        data.some((value, i) => value !== before[parameter].data[i]),
        parameter,
      ).toBe(true);
}
