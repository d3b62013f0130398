import { readdir } from "node:fs/promises";
import { join, relative } from "node:path";
import { PROGRAM } from "../core/command-line.node.ts";
import type { ProgressBar } from "../core/progress-bar.node.ts";
import { count, duration, percent, table } from "../core/text.ts";
import { loadClassifier } from "../inference/classifier.node.ts";
import type { Prediction } from "../inference/classifier.ts";
import { showEvaluation } from "../inference/show-evaluation.node.ts";
import { SAMPLE_FOLDER } from "../pipeline/datasets/fashion-mnist.ts";
import { dataRoot, openDataset } from "../pipeline/datasets/index.ts";
import { run } from "./run.node.ts";
import { DEFAULTS, type RunConfig } from "./run-config.ts";
import { RUN_FILES } from "./run-files.node.ts";
import { showRun } from "./show-run.node.ts";

/** What it trains: 6,000 pictures are few, so each is seen several times, with a rate that rises and falls once. */
export const QUICKSTART: RunConfig = {
  ...DEFAULTS,
  model: "fashion-cnn",
  data: "fashion-mnist-sample",
  epochs: 8,
  batchSize: 60,
  optimizer: "adam",
  learningRate: 0.005,
  schedule: "one-cycle",
  validation: 0.1,
};

const VIEWS = ["none", "five-crop"];

export interface QuickstartOptions {
  /** The run's directory; a run that is there is replaced. */
  readonly out: string;
  readonly json: boolean;
  readonly progress: ProgressBar;
  readonly print: (line: string) => void;
  readonly signal: AbortSignal;
  /** The lines that say what lies in the directory. */
  readonly listing: (out: string) => readonly string[];
}

const ABOUT_CROPS = ["  (Crops of such small pictures, which the network was never trained on, cost", "  accuracy; on photos they gain.)"];

/** Trains on the embedded sample, exports, verifies, evaluates with and without five-crop, and classifies the sample's pictures. @returns whether it came to the end. */
export async function quickstart({ out, json, progress, print, signal, listing }: QuickstartOptions): Promise<boolean> {
  const started = performance.now();
  const say = (...lines: readonly string[]): void => {
    if (!json) for (const line of lines) print(line);
  };
  const { model, data } = QUICKSTART;
  const events = run(QUICKSTART, { out, dataRoot: dataRoot(), overwrite: true, signal });
  const { reason } = await showRun(events, { json, title: `${model} on ${data}`, progress, print });
  if (reason === "interrupted") return false;

  const file = join(out, RUN_FILES.model);
  const classifier = await loadClassifier(file, { workers: 0 });
  try {
    const test = await openDataset({ name: data, root: dataRoot(), split: "test" });
    const evaluations = await showEvaluation(classifier, test, { views: VIEWS, progress, signal });
    if (signal.aborted) return false;
    const totals = evaluations.map(({ views, top1, top5 }) => [views, percent(top1), percent(top5)]);
    say(
      "",
      `Test, ${count(test.length)} images:`,
      ...table([["views", "top-1", "top-5"], ...totals], { align: "lr", indent: 2 }),
      ...ABOUT_CROPS,
    );
    if (json)
      for (const evaluation of evaluations) print(JSON.stringify({ kind: "evaluation", model: file, data, split: "test", ...evaluation }));

    const pictures = (await readdir(SAMPLE_FOLDER)).filter((name) => name.endsWith(".png")).sort();
    const answers = await classifier.classifyBatch(
      pictures.map((name) => join(SAMPLE_FOLDER, name)),
      { views: "none", top: 2 },
    );
    const cell = ({ label, probability }: Prediction) => [label, percent(probability, 1)];
    const rows = pictures.map((name, i) => [name, ...answers[i].predictions.flatMap(cell)]);
    say("", "Pictures:", ...table(rows, { align: "llrlr", indent: 2 }));
    if (json)
      pictures.forEach((name, i) => {
        print(JSON.stringify({ kind: "classification", file: join(SAMPLE_FOLDER, name), predictions: answers[i].predictions }));
      });
    say("", ...listing(out), "", ...next(file, join(SAMPLE_FOLDER, pictures[0])));
    say("", `Done in ${duration((performance.now() - started) / 1e3)}.`);
    return true;
  } finally {
    await classifier.dispose();
  }
}

const next = (file: string, picture: string): string[] => [
  "Next:",
  `  ${PROGRAM} infer ${relative(".", picture)} --model ${file} --tta five-crop`,
  `  ${PROGRAM} inspect ${file}`,
  `  ${PROGRAM} train --help`,
];
