import type { Command } from "commander";
import { createCommand, DATA_DIR, numberOption, print, repeated } from "../core/command-line.node.ts";
import { UsageError } from "../core/errors.ts";
import { createProgressBar } from "../core/progress-bar.node.ts";
import { splitViews } from "../pipeline/views.ts";
import {
  abstainOption,
  deviceOption,
  type ModelOptions,
  noteDevice,
  readModelOptions,
  TTA,
  withModelOptions,
} from "./infer-options.node.ts";
import { evaluationLines } from "./text.ts";

interface EvaluateCommandOptions extends ModelOptions {
  readonly data?: string;
  readonly dataDir?: string;
  readonly split?: string;
  readonly strict?: true;
  readonly tta?: readonly string[];
  readonly batchSize: number;
  readonly limit?: number;
  readonly abstainBelow?: number;
  readonly threads?: number;
  readonly device: "cpu" | "webgpu" | "cuda";
  readonly json?: true;
}

/** `evaluate`: how well a model does on a data set. */
export function evaluateCommand(): Command {
  const command = createCommand("evaluate", "Measure a model on a data set: accuracy, each class, confusions, speed.", [
    "fivecrop evaluate runs/fashion/model.onnx --data fashion-mnist --split test --tta five-crop",
    "fivecrop evaluate runs/photos/model.onnx --data folder:photos --split validation",
    "fivecrop evaluate runs/photos/model.onnx --data folder:others --abstain-below 0.7",
    "fivecrop evaluate runs/fashion/model.onnx --tta none,ten-crop,multi-scale:28,32 --json",
  ])
    .argument("<model>", "an ONNX classifier")
    .option("--data <name>", "the data set, or folder:PATH (default: the one that the model was trained on)")
    .option(
      "--split <name>",
      "its part: train, validation, test, or all of a folder without parts (default: test, else all, validation or train, what there is)",
    )
    .option(...DATA_DIR)
    .option("--tta <views>", `${TTA}; several, a comma between them, are measured in one pass and compared with none`, repeated)
    .option("--batch-size <n>", "images at a time", numberOption("--batch-size", { whole: true, from: 1 }), 64)
    .addOption(abstainOption())
    .option("--strict", "fail on a picture that cannot be read (default: it is named and left out)")
    .option(
      "--limit <n>",
      "at most n images, drawn over the whole split, always the same ones (default: all)",
      numberOption("--limit", { whole: true, from: 1 }),
    )
    .option(
      "--threads <n>",
      "threads of one operator on the cpu (default: the runtime's choice)",
      numberOption("--threads", { whole: true, from: 1 }),
    )
    .addOption(deviceOption());
  return withModelOptions(command).action(evaluateModel);
}

async function evaluateModel(model: string, options: EvaluateCommandOptions): Promise<void> {
  const { dataDir, strict, tta, batchSize, limit, abstainBelow, threads, device, json = false, ...modelOptions } = options;
  const asked = tta?.flatMap(splitViews);
  const views = asked && asked.length > 1 && !asked.includes("none") ? ["none", ...asked] : asked;
  const said = await readModelOptions(modelOptions);
  const [
    { forMany, loadClassifier },
    { metadataOf },
    { readModel },
    { dataRoot, datasetEntry, evaluationSplit, openDataset, publicName, resolveName },
    { bounded },
    { showEvaluation },
  ] = await Promise.all([
    import("./classifier.node.ts"),
    import("./model-contract.ts"),
    import("../core/read-file.node.ts"),
    import("../pipeline/datasets/index.ts"),
    import("../pipeline/dataset.ts"),
    import("./show-evaluation.node.ts"),
  ]);
  const bytes = await readModel(model);
  const training = metadataOf(bytes, model)?.training;
  if (options.data === undefined && (training?.dataset === undefined || training.dataset.startsWith("folder:")))
    throw new UsageError(
      `--data: ${model} ${training?.dataset === undefined ? "does not say what it was trained on: expected the name of a data set" : `was trained on a folder, ${training.dataset.slice(7)}, and does not say where that is: expected folder:PATH`}, received none.`,
    );
  const data = resolveName(options.data ?? training?.dataset ?? "");
  const split = options.split ?? evaluationSplit(await datasetEntry(data));
  const whole = await openDataset({ name: data, root: dataRoot(dataDir), split });
  const parallel = forMany(bytes, { files: whole.file !== undefined });
  const classifier = await loadClassifier(bytes, { ...said, ...parallel, name: model, threads, device });
  noteDevice(classifier, model);
  try {
    const dataset = bounded(whole, limit ?? whole.length);
    const progress = createProgressBar({ quiet: json });
    for (const note of whole.notes ?? []) process.stderr.write(`fivecrop: ${note}\n`);
    if (training?.dataset === publicName(data) && (split === "train" || split === "all"))
      process.stderr.write("fivecrop: the model was trained on these images, or most of them: how it does on others, they do not tell\n");
    const evaluations = await showEvaluation(classifier, dataset, { views, batchSize, abstainBelow, progress, strict });
    if (json) for (const evaluation of evaluations) print(JSON.stringify({ model, data, split, ...evaluation }));
    else for (const line of [`${model} on ${data}, ${split}`, ...evaluationLines(evaluations, process.stdout.columns || 100)]) print(line);
  } finally {
    await classifier.dispose();
  }
}
