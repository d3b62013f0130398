import { UsageError } from "../../core/errors.ts";
import type { Network } from "../../models/network.ts";
import { datasetEntry } from "../../pipeline/datasets/index.ts";
import type { PreprocessSpec } from "../../pipeline/preprocess.ts";
import { backboneOfRun } from "../features/feature-config.ts";
import { isModelFile, modelOf, type RunConfig } from "../run-config.ts";
import { type FittedWeights, fitWeights, isCounter } from "./fit-weights.ts";
import { pretrainedPreprocess } from "./known.ts";
import { openWeights, publicWeights } from "./read-weights.node.ts";

/** A run begins with the weights of a file. */
export interface WeightsEvent extends Omit<FittedWeights, "network"> {
  readonly kind: "weights";
  readonly weights: string;
  readonly format: string;
}

/**
 * Reads the weights that a run is to begin with, before its data are read; undefined where it begins with drawn ones.
 * @returns gives them to a network
 * @throws FivecropError where they cannot be read or do not fit, UsageError where a name is unknown, or the model has weights already.
 */
export async function startWith(
  config: RunConfig,
  dataRoot: string,
): Promise<((network: Network) => { readonly network: Network; readonly event: WeightsEvent }) | undefined> {
  if (config.weights === undefined) return undefined;
  backboneOfRun(config);
  if (isModelFile(config.model))
    throw new UsageError(
      `--weights: the weights of ${config.model} are there already. To fix: leave it out, or name a network with --model.`,
    );
  const { defaultPreprocess } = await datasetEntry(config.data);
  const { network: likeIt, preprocess } = modelOf(config, defaultPreprocess);
  const weights = await openWeights(config.weights, dataRoot);
  fitWeights(likeIt, weights);
  return (network) => {
    const { network: started, notes, ...fitted } = fitWeights(network, weights);
    const seen = pretrainedPreprocess(config.model) ? [preprocessNote(preprocess)] : [];
    const about = { weights: publicWeights(config.weights!), format: weights.format, notes: [...weights.notes, ...notes, ...seen] };
    return { network: started, event: { kind: "weights", ...about, ...fitted } };
  };
}

const preprocessNote = ({ mean, std }: PreprocessSpec): string =>
  `pictures as pretrained weights of this network expect them, but for --preprocess: mean ${mean.join(", ")}; std ${std.join(", ")}`;

/** What is said of it. */
export function weightsLines({ weights, format, taken, of, fresh, absent, unused, notes }: WeightsEvent): readonly string[] {
  const listed = (names: readonly string[], why: string): string =>
    names.length ? `; ${names.join(", ")} ${names.length === 1 ? "is" : "are"} drawn: ${why}` : "";
  const reshaped = fresh.filter((name) => !absent.includes(name));
  const left = unused.filter((name) => !isCounter(name));
  const instead = left.length ? `, but ${left.join(", ")}, which ${left.length === 1 ? "is" : "are"} left out` : "";
  const head = `${listed(reshaped, "the head there has another shape")}${listed(absent, `the file has nothing of ${absent.length === 1 ? "this name" : "these names"}${instead}`)}`;
  return [`begins with ${weights} (${format}): ${taken} of ${of} tensors${head}`, ...notes.map((note) => `  ${note}`)];
}
