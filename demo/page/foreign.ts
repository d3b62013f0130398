// A model whose file does not say its labels and preprocessing: the visitor says them, and may say them otherwise later.

import { type ForeignModel, type PreprocessSpec, parseLabels } from "../../browser.ts";
import { messageOf } from "../../core/errors.ts";
import { byId } from "./elements.ts";
import type { ModelSource, OwnModel, Said } from "./messages.ts";

const panel = byId<HTMLDetailsElement>("foreign");
const labels = byId<HTMLInputElement>("foreign-labels");
const preset = byId<HTMLSelectElement>("foreign-preset");

interface Asked {
  readonly foreign: ForeignModel;
  readonly onSaid: (said: Said) => void;
}

/** By the file: a model that was said otherwise is another model of the same file. */
const asked = new WeakMap<Blob, Asked>();
let shown: OwnModel | undefined;

const count = (number: number): string => number.toLocaleString("en-US");
const list = (numbers: readonly number[]): string => numbers.map((number) => Number(number.toFixed(3))).join(", ");

function describe({ resize, crop: [height, width], mean, std }: PreprocessSpec): string {
  const resized = typeof resize === "number" ? `The shorter side to ${resize} pixels` : "The whole picture";
  return `${resized}, crops of ${width} × ${height}; a pixel of [0, 1] minus ${list(mean)}, divided by ${list(std)}.`;
}

/** What is chosen, in numbers. */
function showSpec(): void {
  const known = shown && asked.get(shown.file);
  if (known) byId("foreign-spec").textContent = describe(known.foreign.presets[preset.value as ForeignModel["preset"]]);
}
preset.addEventListener("change", showSpec);

function show(model: OwnModel, { foreign }: Asked, open: boolean): void {
  const isOther = shown?.file !== model.file;
  shown = model;
  panel.hidden = false;
  panel.open = open;
  byId("foreign-problem").textContent = "";
  byId("foreign-title").textContent = `Labels and preprocessing of ${model.name}`;
  const { classes, outputKind, presets } = foreign;
  const pictures = Object.values(presets)[0].channels === 1 ? "gray pictures" : "pictures in colour";
  byId("foreign-about").textContent = `It takes ${pictures}, and answers with ${count(classes)} ${outputKind}.`;
  if (isOther) {
    byId<HTMLFormElement>("foreign-form").reset();
    preset.replaceChildren(...Object.keys(presets).map((name) => new Option(name)));
    const chosen = Object.entries(presets).find(([, spec]) => JSON.stringify(spec) === JSON.stringify(model.said?.preprocess))?.[0];
    preset.value = chosen ?? foreign.preset;
  }
  showKept();
  showSpec();
}

/** What the labels are where no file is chosen. */
function showKept(): void {
  const kept = shown?.said?.labelsFile;
  byId("foreign-kept").textContent = kept === undefined ? "Without a file: class 0, class 1, …" : `Without another file: those of ${kept}.`;
}

/** Asks for what a model's file does not say. @param onSaid is told it, once it is said, and again whenever it is said otherwise */
export function askOf(model: OwnModel, foreign: ForeignModel, onSaid: (said: Said) => void): void {
  const one = { foreign, onSaid };
  asked.set(model.file, one);
  show(model, one, true);
  labels.focus();
}

/** Shows, folded, what was said of the model that answers now, if anything had to be. */
export function showSaid(model: ModelSource): void {
  const one = "file" in model ? asked.get(model.file) : undefined;
  if (one && "file" in model) show(model, one, false);
  else {
    panel.hidden = true;
    shown = undefined;
  }
}

/** Takes a dropped or pasted file of labels where they are asked for. @returns whether it was taken */
export function takeLabels(file: File): boolean {
  if (panel.hidden || !panel.open || !/\.(txt|json)$/i.test(file.name)) return false;
  const files = new DataTransfer();
  files.items.add(file);
  labels.files = files.files;
  return true;
}

/** What the fields say. @throws UsageError where the file of labels is none, Error where it has other classes */
async function read({ said }: OwnModel, { classes, outputKind, presets }: ForeignModel): Promise<Said> {
  const file = labels.files?.[0];
  const names = file
    ? parseLabels(await file.text(), file.name)
    : (said?.labels ?? Array.from({ length: classes }, (_, i) => `class ${i}`));
  if (names.length !== classes)
    throw new Error(`${file?.name}: expected ${count(classes)} labels, as many as the model answers with; found ${count(names.length)}.`);
  const preprocess = presets[preset.value as ForeignModel["preset"]];
  return { labels: names, labelsFile: file?.name ?? said?.labelsFile, preprocess, outputKind };
}

byId("foreign-form").addEventListener("submit", async (event) => {
  event.preventDefault();
  const model = shown;
  const one = model && asked.get(model.file);
  if (!model || !one) return;
  const problem = byId("foreign-problem");
  problem.textContent = "";
  try {
    one.onSaid(await read(model, one.foreign));
  } catch (error) {
    problem.textContent = messageOf(error);
    labels.focus();
  }
});
