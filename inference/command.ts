import type { Command } from "commander";
import { createCommand, EXIT, numberOption, print, repeated } from "../core/command-line.node.ts";
import { UsageError } from "../core/errors.ts";
import { createProgressBar } from "../core/progress-bar.node.ts";
import { parseViews } from "../pipeline/views.ts";
import type { FileAnswer } from "./classify-files.ts";
import { type ModelOptions, readModelOptions } from "./infer-options.node.ts";
import { evaluationLines, predictionLines } from "./text.ts";

const TTA = "what to average over: none, flip, five-crop, ten-crop, multi-scale:SIZE,SIZE (default: as the model says, else none)";
const withModelOptions = (command: Command): Command =>
  command
    .option("--labels <file>", "the classes, a name a line or JSON (default: as the model says)")
    .option("--preprocess <json>", "the preprocessing, as JSON or a file of it (default: as the model says)");

/** Answers that are shown together, in columns of one width. */
const CHUNK = 32;
/** For no more pictures than these no thread is worth its start. */
const FEW = 16;

interface InferOptions extends ModelOptions {
  readonly model?: string;
  readonly tta?: string;
  readonly top: number;
  readonly threads?: number;
  readonly json?: true;
}

/** `infer`: what is on pictures. */
export function inferCommand(): Command {
  const command = createCommand(
    "infer",
    "Classify pictures. One that cannot be read is named, the others are answered, and the exit code is 1.",
    [
      "fivecrop infer boot.png sandal.png --model runs/fashion/model.onnx --tta five-crop --top 3",
      "infer boot.png --model runs/fashion/model.onnx --json",
      "infer photos --model runs/fashion/model.onnx --json > answers.jsonl",
    ],
  )
    .argument("<pictures...>", "JPEG, PNG, WebP, AVIF, GIF or TIFF files, or folders of them")
    .option("--model <file>", "an ONNX classifier")
    .option("--tta <views>", TTA)
    .option("--top <n>", "how many classes to name", numberOption("--top", { whole: true, from: 1 }), 5)
    .option(
      "--threads <n>",
      "threads of one operator (default: the runtime's choice)",
      numberOption("--threads", { whole: true, from: 1 }),
    );
  return withModelOptions(command).action(infer);
}

async function infer(files: readonly string[], { model, tta, top, threads, json = undefined, ...options }: InferOptions): Promise<void> {
  if (model === undefined)
    throw new UsageError(
      "--model: expected an ONNX file, such as --model runs/fashion/model.onnx, received none. `fivecrop train` makes one.",
    );
  if (tta !== undefined) parseViews(tta);
  const said = await readModelOptions(options);
  const [{ loadClassifier }, { classifyFiles }, { isFolder, pictureFiles }] = await Promise.all([
    import("./classifier.node.ts"),
    import("./classify-files.ts"),
    import("./picture-files.node.ts"),
  ]);
  const many = files.length > FEW || (await Promise.all(files.map(isFolder))).some(Boolean);
  const classifier = await loadClassifier(model, { ...said, threads, ...(!many && { workers: 0 }) });
  try {
    let chunk: FileAnswer[] = [];
    const show = (): void => {
      showAnswers(chunk, json === true);
      chunk = [];
    };
    for await (const answer of classifyFiles(classifier, pictureFiles(files), { views: tta, top })) {
      chunk.push(answer);
      if (json || chunk.length === CHUNK) show();
    }
    show();
  } finally {
    await classifier.dispose();
  }
}

/** Answers in order, their columns aligned. */
function showAnswers(answers: readonly FileAnswer[], json: boolean): void {
  const labels = answers.flatMap(({ classification }) => classification?.predictions.map(({ label }) => label) ?? []);
  const width = Math.max(0, ...labels.map(({ length }) => length));
  for (const { file, classification, error } of answers) {
    if (classification) {
      const { predictions } = classification;
      for (const line of json ? [JSON.stringify({ file, predictions })] : [file, ...predictionLines(predictions, width)]) print(line);
      continue;
    }
    if (json) print(JSON.stringify({ file, error: error.message }));
    process.stderr.write(`fivecrop: ${error.message}\n`);
    process.exitCode = EXIT.failed;
  }
}

interface EvaluateCommandOptions extends ModelOptions {
  readonly data?: string;
  readonly dataDir?: string;
  readonly split: string;
  readonly tta?: readonly string[];
  readonly batchSize: number;
  readonly limit?: number;
  readonly threads?: number;
  readonly json?: true;
}

/** `evaluate`: how well a model does on a data set. */
export function evaluateCommand(): Command {
  const command = createCommand("evaluate", "Measure a model on a data set: accuracy, each class, confusions, speed.", [
    "fivecrop evaluate runs/fashion/model.onnx --data fashion-mnist --split test --tta five-crop",
    "fivecrop evaluate runs/fashion/model.onnx --tta none --tta ten-crop --json",
  ])
    .argument("<model>", "an ONNX classifier")
    .option("--data <name>", "the data set (default: the one that the model was trained on)")
    .option("--split <name>", "its part", "test")
    .option("--data-dir <dir>", "the folder of all data sets (default: $FIVECROP_DATA, else the user's cache folder)")
    .option("--tta <views>", `${TTA}; may be repeated`, repeated)
    .option("--batch-size <n>", "images at a time", numberOption("--batch-size", { whole: true, from: 1 }), 64)
    .option("--limit <n>", "only the first n images", numberOption("--limit", { whole: true, from: 1 }))
    .option(
      "--threads <n>",
      "threads of one operator (default: the runtime's choice)",
      numberOption("--threads", { whole: true, from: 1 }),
    );
  return withModelOptions(command).action(evaluateModel);
}

async function evaluateModel(model: string, options: EvaluateCommandOptions): Promise<void> {
  const { dataDir, split, tta, batchSize, limit, threads, json = false, ...modelOptions } = options;
  for (const views of tta ?? []) parseViews(views);
  const said = await readModelOptions(modelOptions);
  const [{ loadClassifier }, { dataRoot, openDataset }, { subset }, { showEvaluation }] = await Promise.all([
    import("./classifier.node.ts"),
    import("../pipeline/datasets/index.ts"),
    import("../pipeline/dataset.ts"),
    import("./show-evaluation.node.ts"),
  ]);
  const classifier = await loadClassifier(model, { ...said, threads });
  try {
    const data = options.data ?? classifier.metadata?.training?.dataset;
    if (data === undefined)
      throw new UsageError(`--data: ${model} does not say what it was trained on: expected the name of a data set, received none.`);
    const whole = await openDataset({ name: data, root: dataRoot(dataDir), split });
    const dataset =
      limit !== undefined && limit < whole.length
        ? subset(
            whole,
            Array.from({ length: limit }, (_, i) => i),
          )
        : whole;
    const progress = createProgressBar({ quiet: json });
    const evaluations = await showEvaluation(classifier, dataset, { views: tta, batchSize, progress });
    if (json) for (const evaluation of evaluations) print(JSON.stringify({ model, data, split, ...evaluation }));
    else for (const line of [`${model} on ${data}, ${split}`, ...evaluationLines(evaluations, process.stdout.columns || 100)]) print(line);
  } finally {
    await classifier.dispose();
  }
}
