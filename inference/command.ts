import { type Command, Option } from "commander";
import { createCommand, EXIT, numberOption, print, repeated } from "../core/command-line.node.ts";
import { messageOf, UsageError } from "../core/errors.ts";
import { createProgressBar } from "../core/progress-bar.node.ts";
import { OUTPUT_KINDS } from "../export/metadata.ts";
import type { Image } from "../pipeline/image.ts";
import { PRESETS } from "../pipeline/presets.ts";
import { nameOfView, parseViews, splitViews } from "../pipeline/views.ts";
import type { AdoptFileOptions } from "./adopt.node.ts";
import type { Classification } from "./classifier.ts";
import { type ModelOptions, readModelOptions } from "./infer-options.node.ts";
import { evaluationLines, predictionLines, viewLines } from "./text.ts";

const TTA = "what to average over: none, flip, five-crop, ten-crop, multi-scale:SIZE,SIZE (default: as the model says, else none)";
const withModelOptions = (command: Command): Command =>
  command
    .option("--labels <file>", "the classes, a name a line or JSON (default: as the model says)")
    .option("--preprocess <json>", "the preprocessing, as JSON or a file of it (default: as the model says)")
    .option("--preset <name>", `a well-known preprocessing instead: ${Object.keys(PRESETS).join(", ")}`);

/** Pictures that are decoded at a time. */
const CHUNK = 32;

interface InferOptions extends ModelOptions {
  readonly model?: string;
  readonly tta?: string;
  readonly top: number;
  readonly perView?: true;
  readonly saveViews?: string;
  readonly threads?: number;
  readonly json?: true;
}

/** `infer`: what is on pictures. */
export function inferCommand(): Command {
  const command = createCommand(
    "infer",
    "Classify pictures. One that cannot be read is named, the others are answered, and the exit code is 1.",
    [
      "fivecrop infer photo.jpg --tta five-crop",
      "fivecrop infer photo.jpg --tta five-crop --per-view --save-views views",
      "fivecrop infer boot.png sandal.png --model runs/fashion/model.onnx --tta five-crop --top 3",
      "infer boot.png --model runs/fashion/model.onnx --json",
      "infer photo.jpg --model foreign.onnx --labels imagenet.txt --preset imagenet",
    ],
  )
    .argument("<pictures...>", "JPEG, PNG, WebP, AVIF, GIF or TIFF files")
    .option("--model <file>", "an ONNX classifier (default: SqueezeNet 1.1, the 1000 classes of ImageNet)")
    .option("--tta <views>", TTA)
    .option("--top <n>", "how many classes to name", numberOption("--top", { whole: true, from: 1 }), 5)
    .option("--per-view", "show each view's own answer too")
    .option("--save-views <dir>", "write what the model sees, as DIR/PICTURE.VIEW.png")
    .option(
      "--threads <n>",
      "threads of one operator (default: the runtime's choice)",
      numberOption("--threads", { whole: true, from: 1 }),
    );
  return withModelOptions(command).action(infer);
}

async function infer(files: readonly string[], { model, tta, top, threads, json = undefined, ...options }: InferOptions): Promise<void> {
  const { perView = false, saveViews: folder, ...modelOptions } = options;
  if (tta !== undefined) parseViews(tta);
  const said = await readModelOptions(modelOptions);
  const [{ loadClassifier }, { createViewSaver }] = await Promise.all([import("./classifier.node.ts"), import("./save-views.node.ts")]);
  const saver = folder === undefined ? undefined : createViewSaver(folder);
  for (const file of files) saver?.claim(file);
  const classifier = await loadClassifier(model ?? (await defaultModel()), { ...said, threads });
  const show = (file: string, { predictions, views }: Classification, width: number, saved: readonly string[]): void => {
    if (json) {
      const each = views.map(({ view, predictions: own }) => ({ view: nameOfView(view), predictions: own }));
      print(JSON.stringify({ file, predictions, ...(perView && { views: each }), ...(saver && { saved }) }));
    } else {
      const where = saved.length > 0 ? [`  saved: ${saved.join(", ")}`] : [];
      for (const line of [file, ...predictionLines(predictions, width), ...(perView ? viewLines(views) : []), ...where]) print(line);
    }
  };
  try {
    for (let from = 0; from < files.length; from += CHUNK) {
      const { read, failed } = await readAll(files.slice(from, from + CHUNK));
      const answers = await classifier.classifyBatch(
        read.map(({ image }) => image),
        { views: tta, top },
      );
      const width = Math.max(0, ...answers.flatMap(({ predictions }) => predictions.map(({ label }) => label.length)));
      for (const [i, { file }] of read.entries()) {
        const views = answers[i].views.map(({ view }) => view);
        show(file, answers[i], width, (await saver?.save(file, views, classifier.preprocess)) ?? []);
      }
      for (const { file, error } of failed) {
        if (json) print(JSON.stringify({ file, error }));
        process.stderr.write(`fivecrop: ${error}\n`);
        process.exitCode = EXIT.failed;
      }
    }
  } finally {
    await classifier.dispose();
  }
}

/** Read only where no other is named. */
const defaultModel = async (): Promise<string> => (await import("../models/pretrained.node.ts")).PRETRAINED["squeezenet1.1-imagenet"];

interface Pictures {
  readonly read: readonly { readonly file: string; readonly image: Image }[];
  readonly failed: readonly { readonly file: string; readonly error: string }[];
}

async function readAll(files: readonly string[]): Promise<Pictures> {
  const { readImage } = await import("../pipeline/decode.node.ts");
  const settled = await Promise.allSettled(files.map((file) => readImage(file)));
  const read = settled.flatMap((result, i) => (result.status === "fulfilled" ? [{ file: files[i], image: result.value }] : []));
  const failed = settled.flatMap((result, i) =>
    result.status === "rejected" ? [{ file: files[i], error: messageOf(result.reason) }] : [],
  );
  return { read, failed };
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
    "fivecrop evaluate runs/fashion/model.onnx --tta none,ten-crop,multi-scale:28,32 --json",
  ])
    .argument("<model>", "an ONNX classifier")
    .option("--data <name>", "the data set (default: the one that the model was trained on)")
    .option("--split <name>", "its part", "test")
    .option("--data-dir <dir>", "the folder of all data sets (default: $FIVECROP_DATA, else the user's cache folder)")
    .option("--tta <views>", `${TTA}; several, a comma between them, are measured in one pass and compared with none`, repeated)
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
  const asked = tta?.flatMap(splitViews);
  const views = asked && asked.length > 1 && !asked.includes("none") ? ["none", ...asked] : asked;
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
    const evaluations = await showEvaluation(classifier, dataset, { views, batchSize, progress });
    if (json) for (const evaluation of evaluations) print(JSON.stringify({ model, data, split, ...evaluation }));
    else for (const line of [`${model} on ${data}, ${split}`, ...evaluationLines(evaluations, process.stdout.columns || 100)]) print(line);
  } finally {
    await classifier.dispose();
  }
}

/** `adopt`: a foreign model's copy that carries its labels and preprocessing. */
export function adoptCommand(): Command {
  const command = createCommand(
    "adopt",
    "Copy a foreign ONNX classifier with its labels and preprocessing inside. Bytes are only appended: the graph stays as it is.",
    [
      "fivecrop adopt resnet50.onnx --labels imagenet.txt --preset imagenet --out resnet50-imagenet.onnx",
      "fivecrop adopt m.onnx --labels m.json --preprocess preprocess.json --tta five-crop --out m2.onnx",
    ],
  )
    .argument("<model>", "an ONNX classifier")
    .option("--out <file>", "the file to write")
    .option("--tta <views>", "the views to average over where infer is told none (default: none)")
    .addOption(
      new Option("--output <kind>", "what the model's output is (default: as its last node tells, else logits)").choices(OUTPUT_KINDS),
    );
  return withModelOptions(command).action(async (file: string, options: AdoptFileOptions) =>
    (await import("./adopt.node.ts")).adoptFile(file, options),
  );
}
