import { type Command, Option } from "commander";
import { createCommand, DATA_DIR } from "../core/command-line.node.ts";
import { UsageError } from "../core/errors.ts";
import { createProgressBar } from "../core/progress-bar.node.ts";
import { dataRoot } from "../pipeline/datasets/index.ts";
import { parseViews } from "../pipeline/views.ts";
import type { CheckpointName } from "../training/run-files.node.ts";
import { CHECKPOINT_NAMES, RUN_FILES } from "../training/run-files.node.ts";
import type { PrepareEvent } from "../training/run-parts.node.ts";
import { exportedLine, showPreparation } from "../training/show-run.node.ts";

interface ExportCommandOptions {
  readonly checkpoint?: CheckpointName;
  readonly format?: "onnx" | "safetensors";
  readonly out?: string;
  readonly selfContained?: true;
  readonly tta?: string;
  readonly samples?: readonly string[];
  readonly labels?: string;
  readonly preprocess?: string;
  readonly dataDir?: string;
  readonly json?: true;
}

/** `export`: a run's checkpoint, or a model with its preprocessing inside, as a file for others. */
export function exportCommand(): Command {
  return createCommand(
    "export",
    "Export a run's checkpoint again, or make a model self-contained. A run's ONNX file is compared with the training engine on images of its data set.",
    [
      "fivecrop export runs/fashion",
      "fivecrop export runs/fashion --checkpoint last --out last.onnx",
      "fivecrop export runs/fashion --format safetensors",
      "fivecrop export runs/fashion --self-contained --tta five-crop",
      "fivecrop export model.onnx --self-contained --out whole.onnx",
    ],
  )
    .argument("<source>", "the directory of a run, as train leaves it; with --self-contained also an .onnx file")
    .addOption(new Option("--checkpoint <name>", "which weights of a run (default: best)").choices(CHECKPOINT_NAMES))
    .addOption(new Option("--format <name>", "the whole network, or its weights by name (default: onnx)").choices(["onnx", "safetensors"]))
    .option("--self-contained", "pictures in, probabilities out: preprocessing and views as nodes of the graph")
    .option("--tta <views>", "what a self-contained file averages over (default: as the model says, else none)")
    .option("--samples <files...>", "pictures for its golden samples (default: three generated ones)")
    .option("--labels <file>", "the classes of an .onnx file, a name a line or JSON (default: as it says)")
    .option("--preprocess <json>", "its preprocessing, as JSON or a file of it (default: as it says)")
    .option("--out <file>", `the file to write (default: in the run, ${RUN_FILES.model} for the best checkpoint)`)
    .option(...DATA_DIR)
    .action(exportSource);
}

async function exportSource(source: string, { json = undefined, ...options }: ExportCommandOptions): Promise<void> {
  checkOptions(source, options);
  const exported = source.endsWith(".onnx") ? await exportModel(source, options) : await exportOfRun(source, { ...options, json });
  process.stdout.write(`${json ? JSON.stringify(exported) : exportedLine(exported)}\n`);
}

function checkOptions(source: string, options: ExportCommandOptions): void {
  const isModel = source.endsWith(".onnx");
  const given = (names: readonly (keyof ExportCommandOptions)[]) => names.find((name) => options[name] !== undefined);
  const refuse = (option: keyof ExportCommandOptions | undefined, why: string): void => {
    if (option) throw new UsageError(`--${option.replace(/[A-Z]/g, (c) => `-${c.toLowerCase()}`)}: ${why}`);
  };
  if (options.tta !== undefined) parseViews(options.tta);
  if (isModel && !options.selfContained)
    throw new UsageError(
      `${source}: expected the directory of a run, received a model's file, which export makes self-contained. To fix: add --self-contained.`,
    );
  if (!options.selfContained) refuse(given(["tta"]), "needs --self-contained; other files take their views when they answer.");
  if (options.format === "safetensors") refuse(given(["selfContained", "samples"]), "needs --format onnx: safetensors are weights alone.");
  if (isModel) refuse(given(["checkpoint", "format", "dataDir"]), `is of a run's directory, received the file ${source}.`);
  else refuse(given(["labels", "preprocess"]), `is of a model's file, received ${source}: a run knows its own.`);
}

async function exportOfRun(run: string, { dataDir, checkpoint = "best", format = "onnx", tta, ...options }: ExportCommandOptions) {
  const { exportRun } = await import("../training/export-run.node.ts");
  const progress = createProgressBar({ quiet: options.json });
  const onEvent = (event: PrepareEvent): void => {
    if (event.kind === "decoding") showPreparation(event, progress); // what is left out was said when it was trained
  };
  try {
    return await exportRun(run, { ...options, checkpoint, format, views: tta, dataRoot: dataRoot(dataDir), onEvent });
  } finally {
    progress.end();
  }
}

async function exportModel(source: string, { labels, preprocess, tta, samples, out }: ExportCommandOptions) {
  const [{ readModelOptions }, { exportSelfContained }] = await Promise.all([
    import("../inference/infer-options.node.ts"),
    import("../inference/export-self-contained.node.ts"),
  ]);
  const said = await readModelOptions({ labels, preprocess });
  return exportSelfContained(source, {
    ...said,
    views: tta,
    files: samples,
    out: out ?? source.replace(/\.onnx$/, "-self-contained.onnx"),
  });
}
