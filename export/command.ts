import { type Command, Option } from "commander";
import { createCommand, DATA_DIR, EXIT } from "../core/command-line.node.ts";
import { UsageError } from "../core/errors.ts";
import { stopAtInterrupt } from "../core/interrupt.node.ts";
import { createProgressBar } from "../core/progress-bar.node.ts";
import { dataRoot } from "../pipeline/datasets/index.ts";
import { PRESETS } from "../pipeline/presets.ts";
import { parseViews } from "../pipeline/views.ts";
import type { CheckpointName } from "../training/run-files.node.ts";
import { CHECKPOINT_NAMES, RUN_FILES } from "../training/run-files.node.ts";
import { showPreparation } from "../training/show-preparation.node.ts";
import { exportedLine } from "../training/show-run.node.ts";

interface ExportCommandOptions {
  readonly checkpoint?: CheckpointName;
  readonly format?: "onnx" | "safetensors";
  readonly out?: string;
  readonly selfContained?: true;
  readonly explain?: true;
  readonly layer?: string;
  readonly tta?: string;
  readonly samples?: readonly string[];
  readonly labels?: string;
  readonly preprocess?: string;
  readonly preset?: string;
  readonly dataDir?: string;
  readonly json?: true;
}

/** `export`: a run's checkpoint, or a model with its preprocessing inside, as a file for others. */
export function exportCommand(): Command {
  return createCommand(
    "export",
    "Export a run's checkpoint again, or make a model self-contained or explain itself. A run's ONNX file is compared with the training engine on images of its data set.",
    [
      "fivecrop export runs/fashion",
      "fivecrop export runs/fashion --checkpoint last --out last.onnx",
      "fivecrop export runs/fashion --format safetensors",
      "fivecrop export runs/fashion --self-contained --tta five-crop",
      "fivecrop export model.onnx --self-contained --out whole.onnx",
      "fivecrop export runs/fashion --explain",
    ],
  )
    .argument("<source>", "the directory of a run, as train leaves it; with --self-contained or --explain also an .onnx file")
    .addOption(new Option("--checkpoint <name>", "which weights of a run (default: best)").choices(CHECKPOINT_NAMES))
    .addOption(new Option("--format <name>", "the whole network, or its weights by name (default: onnx)").choices(["onnx", "safetensors"]))
    .option("--self-contained", "pictures in, probabilities out: preprocessing and views as nodes of the graph")
    .option("--explain", "a second output heat_map [N, h, w]: the places that speak for the most probable class (Grad-CAM)")
    .option("--layer <node>", "with --explain: the node whose map of features is looked at (default: the last one)")
    .option("--tta <views>", "what a self-contained file averages over (default: as the model says, else none)")
    .option("--samples <files...>", "pictures for its golden samples (default: three generated ones)")
    .option("--labels <file>", "the classes of an .onnx file, a name a line or JSON (default: as it says)")
    .option("--preprocess <json>", "its preprocessing, as JSON or a file of it (default: as it says)")
    .option("--preset <name>", `a well-known preprocessing instead: ${Object.keys(PRESETS).join(", ")}`)
    .option("--out <file>", `the file to write (default: in the run, ${RUN_FILES.model} for the best checkpoint)`)
    .option(...DATA_DIR)
    .action(exportSource);
}

async function exportSource(source: string, { json = undefined, ...options }: ExportCommandOptions): Promise<void> {
  checkOptions(source, options);
  const exported = source.endsWith(".onnx") ? await exportModel(source, options) : await exportOfRun(source, { ...options, json });
  if (exported) process.stdout.write(`${json ? JSON.stringify(exported) : exportedLine(exported)}\n`);
}

function checkOptions(source: string, options: ExportCommandOptions): void {
  const isModel = source.endsWith(".onnx");
  const given = (names: readonly (keyof ExportCommandOptions)[]) => names.find((name) => options[name] !== undefined);
  const refuse = (option: keyof ExportCommandOptions | undefined, why: string): void => {
    if (option) throw new UsageError(`--${option.replace(/[A-Z]/g, (c) => `-${c.toLowerCase()}`)}: ${why}`);
  };
  if (options.tta !== undefined) parseViews(options.tta);
  if (isModel && !options.selfContained && !options.explain)
    throw new UsageError(
      `${source}: expected the directory of a run, received a model's file, which export makes self-contained or explain itself. To fix: add --self-contained or --explain.`,
    );
  if (options.selfContained)
    refuse(given(["explain"]), "expected --explain or --self-contained, received both: a self-contained file has one output.");
  if (!options.explain) refuse(given(["layer"]), "needs --explain: it is the node whose map of features is looked at.");
  if (!options.selfContained) refuse(given(["tta"]), "needs --self-contained; other files take their views when they answer.");
  if (options.format === "safetensors")
    refuse(given(["selfContained", "explain", "samples"]), "needs --format onnx: safetensors are weights alone.");
  if (isModel) refuse(given(["checkpoint", "format", "dataDir"]), `is of a run's directory, received the file ${source}.`);
  else refuse(given(["labels", "preprocess", "preset"]), `is of a model's file, received ${source}: a run knows its own.`);
}

async function exportOfRun(run: string, { dataDir, checkpoint = "best", format = "onnx", tta, ...options }: ExportCommandOptions) {
  const { exportRun } = await import("../training/export-run.node.ts");
  const progress = createProgressBar({ quiet: options.json });
  const interrupt = stopAtInterrupt(progress);
  const { signal } = interrupt;
  try {
    for await (const event of exportRun(run, { ...options, checkpoint, format, views: tta, dataRoot: dataRoot(dataDir), signal }))
      if (event.kind === "exported") return event;
      else showPreparation(event, progress);
    process.exitCode = interrupt.exitCode() ?? EXIT.failed;
    return undefined;
  } finally {
    progress.end();
    interrupt.dispose();
  }
}

async function exportModel(source: string, { labels, preprocess, preset, tta, samples, out, explain, layer }: ExportCommandOptions) {
  const [{ readModelOptions }, { exportSelfContained }] = await Promise.all([
    import("../inference/infer-options.node.ts"),
    import("../inference/export-self-contained.node.ts"),
  ]);
  const said = await readModelOptions({ labels, preprocess, preset });
  if (explain) {
    const { exportExplained } = await import("../inference/export-explained.node.ts");
    return exportExplained(source, { ...said, layer, files: samples, out: out ?? source.replace(/\.onnx$/, "-explained.onnx") });
  }
  return exportSelfContained(source, {
    ...said,
    views: tta,
    files: samples,
    out: out ?? source.replace(/\.onnx$/, "-self-contained.onnx"),
  });
}
