import { type Command, Option } from "commander";
import { createCommand, EXIT, numberOption, print, printError } from "../core/command-line.node.ts";
import { printable } from "../core/text.ts";
import { OUTPUT_KINDS } from "../export/metadata.ts";
import { nameOfView, parseViews } from "../pipeline/views.ts";
import { abstains } from "./abstain.ts";
import type { AdoptFileOptions } from "./adopt.node.ts";
import type { Classification } from "./classifier.ts";
import type { FileAnswer } from "./classify-files.ts";
import { type ExplainArguments, type Explained, explaining, withExplainOptions } from "./infer-explain.node.ts";
import {
  abstainOption,
  deviceOption,
  type ModelOptions,
  noteDevice,
  readModelOptions,
  refuseViewsOfSelfContained,
  TTA,
  withModelOptions,
} from "./infer-options.node.ts";
import type { Shift } from "./shrink-on-load.node.ts";
import { predictionLines, unsureText, viewLines } from "./text.ts";

/** Answers that are shown together, in columns of one width. */
const CHUNK = 32;
/** For no more pictures than these no thread is worth its start. */
const FEW = 16;

interface InferOptions extends ModelOptions, ExplainArguments {
  readonly model?: string;
  readonly tta?: string;
  readonly top: number;
  readonly abstainBelow?: number;
  readonly perView?: true;
  readonly saveViews?: string;
  readonly shrinkOnLoad?: true;
  readonly threads?: number;
  readonly device: "cpu" | "webgpu" | "cuda";
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
      'fivecrop infer photo.jpg --explain --class "tiger cat"',
      "fivecrop infer boot.png sandal.png --model runs/fashion/model.onnx --tta five-crop --top 3",
      "infer boot.png --model runs/fashion/model.onnx --json",
      "infer photo.jpg --model runs/flowers/model.onnx --abstain-below 0.7",
      "infer photo.jpg --model foreign.onnx --labels imagenet.txt --preset imagenet",
      "infer photos --model runs/fashion/model.onnx --json > answers.jsonl",
    ],
  )
    .argument("<pictures...>", "JPEG, PNG, WebP, AVIF, GIF or TIFF files, or folders of them")
    .option("--model <file>", "an ONNX classifier (default: SqueezeNet 1.1, the 1000 classes of ImageNet)")
    .option("--tta <views>", TTA)
    .option("--top <n>", "how many classes to name", numberOption("--top", { whole: true, from: 1 }), 5)
    .addOption(abstainOption())
    .option("--per-view", "show each view's own answer too")
    .option("--save-views <dir>", "write what the model sees, as DIR/PICTURE.VIEW.png")
    .option("--shrink-on-load", "read large JPEGs at a reduced size: faster, and other pixels; says how far probabilities move")
    .option(
      "--threads <n>",
      "threads of one operator on the cpu (default: the runtime's choice)",
      numberOption("--threads", { whole: true, from: 1 }),
    )
    .addOption(deviceOption());
  return withModelOptions(withExplainOptions(command)).action(infer);
}

async function infer(
  files: readonly string[],
  { model, tta, top, threads, device, json = undefined, ...options }: InferOptions,
): Promise<void> {
  const { perView = false, abstainBelow, saveViews: folder, shrinkOnLoad = false, ...modelOptions } = options;
  if (tta !== undefined) parseViews(tta);
  const explained = explaining(options);
  const said = await readModelOptions(modelOptions);
  const [{ forMany, loadClassifier }, { readModel }, { classifyFiles }, { isFolder, pictureFiles }, { createViewSaver }] =
    await Promise.all([
      import("./classifier.node.ts"),
      import("../core/read-file.node.ts"),
      import("./classify-files.ts"),
      import("./picture-files.node.ts"),
      import("./save-views.node.ts"),
    ]);
  const saver = folder === undefined ? undefined : createViewSaver(folder, shrinkOnLoad);
  const folders = await Promise.all(files.map(isFolder));
  const single = files.filter((_, i) => !folders[i]);
  for (const file of single) saver?.claim(file);
  explained?.claim(
    single,
    files.filter((_, i) => folders[i]),
  );
  const many = files.length > FEW || folders.some(Boolean);
  const modelFile = model ?? (await defaultModel());
  const bytes = await readModel(modelFile);
  const classifier = await loadClassifier(bytes, {
    ...said,
    name: modelFile,
    threads,
    device,
    shrinkOnLoad,
    ...(many ? forMany(bytes, { files: true }) : { workers: 0 }),
  });
  noteDevice(classifier, model ?? "the model");
  const save = async (file: string, { views }: Classification): Promise<readonly string[]> => {
    const seen = views.map(({ view }) => view);
    return (await saver?.save(file, seen, classifier.preprocess)) ?? [];
  };
  const report = shrinkOnLoad ? (await import("./shrink-on-load.node.ts")).createShiftReport(classifier) : undefined;
  try {
    refuseViewsOfSelfContained(classifier, model ?? "the model", { "--per-view": perView, "--save-views": saver !== undefined });
    let chunk: ShownAnswer[] = [];
    const show = (): void => {
      showAnswers(chunk, { json: json === true, perView, saves: saver !== undefined, abstainBelow });
      chunk = [];
    };
    for await (const answer of classifyFiles(classifier, pictureFiles(files), { views: tta, top, explain: explained?.options })) {
      chunk.push({
        ...answer,
        saved: answer.classification ? await save(answer.file, answer.classification) : [],
        explained: answer.classification && (await explained?.save(answer.file, answer.classification)),
        shift: await report?.measure(answer),
      });
      if (json || chunk.length === CHUNK) show();
    }
    show();
    if (!json) for (const line of report?.lines() ?? []) print(line);
  } finally {
    await classifier.dispose();
  }
}

/** Read only where no other is named. */
const defaultModel = async (): Promise<string> => (await import("../models/pretrained.node.ts")).PRETRAINED["squeezenet1.1-imagenet"];

/** An answer, where its views and its heat map were written, and by how much reading at a reduced size moves it. */
type ShownAnswer = FileAnswer & { readonly saved: readonly string[]; readonly explained?: Explained; readonly shift?: Shift };

interface ShowOptions {
  readonly json: boolean;
  readonly perView: boolean;
  readonly saves: boolean;
  readonly abstainBelow?: number;
}

/** Answers in order, their columns aligned. */
function showAnswers(answers: readonly ShownAnswer[], { json, perView, saves, abstainBelow }: ShowOptions): void {
  const labels = answers.flatMap(({ classification }) => classification?.predictions.map(({ label }) => label) ?? []);
  const width = Math.max(0, ...labels.map(({ length }) => length));
  for (const { file, classification, error, saved, explained, shift } of answers) {
    if (classification) {
      const { predictions, views } = classification;
      const each = views.map(({ view, predictions: own }) => ({ view: nameOfView(view), predictions: own }));
      const unsure = abstainBelow !== undefined && abstains(predictions, abstainBelow);
      const where = [
        ...(saved.length > 0 ? [`  saved: ${saved.join(", ")}`] : []),
        ...(explained ? [`  why ${printable(explained.label)} (Grad-CAM at ${printable(explained.layer)}): ${explained.saved}`] : []),
      ];
      const lines = json
        ? [
            JSON.stringify({
              file,
              ...(abstainBelow !== undefined && { abstained: unsure }),
              ...(unsure && { bestGuess: predictions[0].label }),
              predictions,
              ...(perView && { views: each }),
              ...(saves && { saved }),
              ...(explained && { explanation: explained }),
              ...(shift && { shrinkOnLoad: shift }),
            }),
          ]
        : [
            unsure ? `${file}: ${unsureText(predictions, abstainBelow)}` : file,
            ...predictionLines(predictions, width, process.stdout.columns || undefined),
            ...(perView ? viewLines(views) : []),
            ...where,
          ];
      for (const line of lines) print(line);
      continue;
    }
    if (json) print(JSON.stringify({ file, error: error.message }));
    printError(`fivecrop: ${printable(error.message)}`);
    process.exitCode = EXIT.failed;
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
