import { checkWhole } from "../core/check.ts";
import { FivecropError, UsageError } from "../core/errors.ts";
import { classCount, type ImageShape, type Network, networkForSize } from "../models/network.ts";
import { checkPlan } from "../pipeline/batches.ts";
import type { PreprocessSpec } from "../pipeline/preprocess.ts";
import type { Checkpoint } from "./checkpoint.ts";
import type { TrainingEngine } from "./engine.ts";
import { batchPlan, checkSizes, planEpochs, preprocessAt } from "./epoch-plan.ts";
import type { FitData, FitOptions } from "./fit.ts";
import { checkRunData } from "./run-data.ts";

/** Options of `fit` that say something without data. */
export type Planned = Pick<FitOptions, "epochs" | "batchSize" | "learningRate" | "patience" | "logEvery" | "sizes" | "preprocess">;

/**
 * What can be said of a network and its options before there are data.
 * @param given what is made of an image, where that is not what the preprocessing makes: features
 * @throws UsageError
 */
export function checkPlanned(network: Network, options: Planned, given?: ImageShape): void {
  const { epochs, batchSize, learningRate, patience, logEvery, sizes = [], preprocess } = options;
  for (const [what, value] of Object.entries({ epochs, "batch size": batchSize, patience, "log every": logEvery }))
    if (value !== undefined) checkWhole(what, value, 1);
  checkSizes(sizes, epochs);
  if (!(learningRate > 0 && Number.isFinite(learningRate)))
    throw new UsageError(`learning rate: expected a number above 0, received ${learningRate}.`);
  const taken = network.graph.inputs[0].shape.slice(1);
  const made = given ?? shapeOf(preprocess);
  if (String(taken) !== String(made))
    throw new UsageError(`the network takes images of [C, H, W] = [${taken}], and the preprocessing makes them [${made}].`);
  if (!given) for (const { size } of sizes) networkForSize(network, shapeOf(preprocessAt(preprocess, size)));
}

/**
 * What `fit` asks of its arguments, for who wants to know before anything is written; the engine has its steps ready then.
 * @throws UsageError, FivecropError
 */
export function checkFit(engine: TrainingEngine, { training, validation }: FitData, options: FitOptions): void {
  const { batchSize, sizes = [], resume } = options;
  const { imageShape } = training;
  checkPlanned(engine.network, options, imageShape);
  for (const size of [batchSize, ...sizes.map((stage) => stage.batchSize ?? batchSize)])
    if (size > training.length)
      throw new UsageError(`batch size: expected at most the ${training.length} images there are to train on, received ${size}.`);
  const plan = planEpochs(training.length, options);
  checkPlan(batchPlan(options, plan[0], 0), training.length);
  const classes = classCount(engine.network);
  for (const loader of [training, validation])
    if (loader && loader.classNames.length !== classes)
      throw new UsageError(`the network tells ${classes} classes apart, and the data set ${loader.name} has ${loader.classNames.length}.`);
  if (resume) checkResume(resume, engine, { training, validation }, options);
  engine.prepare(
    plan.slice(resume?.progress.epoch ?? 0).flatMap((epoch) => {
      const last = training.length % epoch.batchSize;
      const shape = imageShape ?? shapeOf(epoch.preprocess);
      return [epoch.batchSize, ...(last ? [last] : [])].map((images) => [images, ...shape]);
    }),
  );
}

const shapeOf = ({ channels, crop }: PreprocessSpec): ImageShape => [channels, ...crop];

/** A run goes on only as it began: with the same network and optimizer, the same images in the same batches, the same seed. */
function checkResume(resume: Checkpoint, { network, optimizer }: TrainingEngine, data: FitData, options: FitOptions): void {
  checkRunData(resume, data);
  const { batchSize, seed = 0 } = options;
  const { epoch, batch } = resume.progress;
  const plan = planEpochs(data.training.length, { ...options, epochs: epoch + 1 });
  const compared: readonly (readonly [what: string, then: string | number, now: string | number])[] = [
    ["network", resume.network, network.name],
    ["optimizer", resume.optimizer, optimizer.name],
    ["batch size", resume.batchSize, batchSize],
    ["steps done", resume.training.step, plan[epoch].firstStep + batch],
    ["seed", resume.training.seed, seed],
  ];
  const differing = compared.filter(([, then, now]) => then !== now);
  if (differing.length)
    throw new FivecropError(
      `the checkpoint is of another run: ${differing.map(([what, then, now]) => `${what}: expected ${now}, found ${then}`).join("; ")}. ` +
        "To fix: resume with the options and the data that it was made with.",
    );
}
