import { type Command, Option } from "commander";
import { numberOption } from "../core/command-line.node.ts";
import { UsageError } from "../core/errors.ts";
import { parseJson } from "../core/parse-json.ts";
import { readInput } from "../core/read-file.node.ts";
import { type PreprocessSpec, validatePreprocess } from "../pipeline/preprocess.ts";
import { PRESETS, presetOf } from "../pipeline/presets.ts";
import type { Classifier } from "./classifier.ts";
import { parseLabels } from "./labels.ts";
import type { ContractOptions } from "./model-contract.ts";

/** What the command line says of a model in place of what its file says. */
export interface ModelOptions {
  /** A file: a name a line, or JSON's list or map of names. */
  readonly labels?: string;
  /** JSON, or a file of it. */
  readonly preprocess?: string;
  /** The name of a preprocessing, in its place. */
  readonly preset?: string;
}

/** What `--tta` is. */
export const TTA = "what to average over: none, flip, five-crop, ten-crop, multi-scale:SIZE,SIZE (default: as the model says, else none)";

/** `--labels`, `--preprocess` and `--preset`, for commands that take a model. */
export const withModelOptions = (command: Command): Command =>
  command
    .option("--labels <file>", "the classes, a name a line or JSON (default: as the model says)")
    .option("--preprocess <json>", "the preprocessing, as JSON or a file of it (default: as the model says)")
    .option("--preset <name>", `a well-known preprocessing instead: ${Object.keys(PRESETS).join(", ")}`);

/** `--abstain-below`, for commands that answer or count answers. */
export const abstainOption = (): Option =>
  new Option(
    "--abstain-below <p>",
    'an answer of a smaller probability is "not sure", from 0 to 1 (default: every picture is answered)',
  ).argParser(numberOption("--abstain-below", { above: 0, to: 1 }));

/** `--device`, for commands that load a classifier. */
export const deviceOption = (): Option =>
  new Option("--device <name>", "what runs the network; a graphics card replays the model's golden samples first")
    .choices(["cpu", "webgpu", "cuda"])
    .default("cpu");

/** Says on standard error what a device was compared with, where the file carries no golden samples. */
export function noteDevice({ deviceCheck }: Pick<Classifier, "deviceCheck">, model: string): void {
  if (!deviceCheck || deviceCheck.against === "golden samples") return;
  const { device, against, samples, largestDifference } = deviceCheck;
  process.stderr.write(
    `fivecrop: ${model} carries no golden samples: ${device} was compared with ${against} on ${samples} generated pictures ` +
      `(largest difference of a probability: ${largestDifference.toExponential(1)}).\n`,
  );
}

/** @throws UsageError for an option that looks at single views, where a model's graph makes and averages them itself. */
export function refuseViewsOfSelfContained(
  { metadata }: Pick<Classifier, "metadata">,
  model: string,
  given: Readonly<Record<string, boolean>>,
): void {
  const option = Object.keys(given).find((name) => given[name]);
  if (option === undefined || !metadata?.selfContained) return;
  throw new UsageError(
    `${option}: ${model} is self-contained, its graph makes its views itself and shows none of them. To fix: leave that out, or give the file that it was made of.`,
  );
}

const TAKES: Readonly<Record<string, string>> = {
  "--labels": "a file with a name a line, or JSON's list or map of them",
  "--preprocess": "JSON that starts with {, or a file of it",
};

/** @throws UsageError that names the option, where its text is not what it should be. FivecropError where a file cannot be read. */
export async function readModelOptions({ labels, preprocess, preset }: ModelOptions): Promise<ContractOptions> {
  if (preprocess !== undefined && preset !== undefined)
    throw new UsageError("--preset: expected either --preset or --preprocess, received both: they say the same thing.");
  return {
    ...(labels !== undefined && { labels: parseLabels(await read(labels, "--labels"), `--labels: ${labels}`) }),
    ...(preprocess !== undefined && { preprocess: await parsePreprocess(preprocess) }),
    ...(preset !== undefined && { preprocess: presetOf(preset) }),
  };
}

async function parsePreprocess(given: string): Promise<PreprocessSpec> {
  const text = given.trimStart().startsWith("{") ? given : await read(given, "--preprocess");
  try {
    return validatePreprocess(parseJson(text, "--preprocess"));
  } catch (error) {
    if (error instanceof UsageError && !error.message.startsWith("--")) throw new UsageError(`--${error.message}`, { cause: error });
    throw error;
  }
}

const read = async (file: string, option: string): Promise<string> =>
  new TextDecoder().decode(await readInput(file, `${option}: cannot read ${file}`, `${option} takes ${TAKES[option]}`));
