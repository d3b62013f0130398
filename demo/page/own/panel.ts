// Training and trying, as the page shows them.
import type { Prediction } from "../../../browser.ts";
import { showBars } from "../bars.ts";
import { byId, element } from "../elements.ts";
import { showCurves } from "./curves.ts";
import type { OwnEvent, Point, Run, Settings } from "./messages.ts";

const SHOWN = 640;
const NAMES: Readonly<Record<Run["phase"], string>> = {
  none: "Train",
  running: "Train",
  interrupted: "Resume",
  finished: "Train anew",
};

/** Says what is going on, or wrong. */
export function say(text: string, kind: "plain" | "error" = "plain"): void {
  const status = byId("own-status");
  status.textContent = text;
  status.dataset.kind = kind;
}

/** A task, and how far it is; the bar says that there is one where that is not known. */
export function showDoing({ text, done, total }: Extract<OwnEvent, { kind: "doing" }>): void {
  const bar = byId<HTMLProgressElement>("own-progress");
  bar.hidden = false;
  const isKnown = done !== undefined && total;
  if (isKnown) bar.value = done / total;
  else bar.removeAttribute("value");
  say(isKnown ? `${text}: ${Math.floor((100 * done) / total)} %` : text);
}

export const showIdle = (): void => {
  byId("own-progress").hidden = true;
};

/** What the visitor chose; epochs that are no number become the usual ones. */
export function settingsShown(): Settings {
  const approach = document.querySelector<HTMLInputElement>('input[name="approach"]:checked')?.value === "network" ? "network" : "features";
  const epochs = byId<HTMLInputElement>("own-epochs");
  if (!epochs.validity.valid || !(epochs.valueAsNumber >= 1)) epochs.value = "20";
  return { approach, epochs: epochs.valueAsNumber, mirror: byId<HTMLInputElement>("own-mirror").checked };
}

/** What was chosen before. */
export function showSettings({ approach, epochs, mirror }: Settings): void {
  for (const input of document.querySelectorAll<HTMLInputElement>('input[name="approach"]')) input.checked = input.value === approach;
  byId<HTMLInputElement>("own-epochs").value = String(epochs);
  byId<HTMLInputElement>("own-mirror").checked = mirror;
}

let shown: { readonly run: Run; readonly isCurrent: boolean } | undefined;
let live: Point | undefined;

/** What can be done now; while it trains, nothing else can. */
export function showRun(run: Run, isCurrent: boolean): void {
  const before = shown;
  shown = { run, isCurrent };
  if (run.phase !== "running") live = undefined;
  showCurves(run.history, Math.max(run.epochs, 1), live);
  if (before?.run.notes.length !== run.notes.length) byId("own-notes").replaceChildren(...run.notes.map((note) => element("li", "", note)));
  if (before?.run.phase !== run.phase || before.isCurrent !== isCurrent) showPhase(run, isCurrent, before?.run.phase === "running");
}

const WHILE_IDLE = "#own-settings input, #own-classes input, #own-classes button, #own-add-class, #own-delete";

function showPhase(run: Run, isCurrent: boolean, wasRunning: boolean): void {
  const isRunning = run.phase === "running";
  byId("own-panel").classList.toggle("running", isRunning);
  byId("own-train").hidden = isRunning;
  byId("own-train").textContent = isCurrent ? NAMES[run.phase] : "Train";
  byId("own-stop").hidden = !isRunning;
  byId("own-reset").hidden = isRunning || run.phase === "none";
  for (const input of document.querySelectorAll<HTMLInputElement>(WHILE_IDLE)) input.disabled = isRunning;
  byId("own-made").hidden = run.phase !== "finished";
  if (run.phase !== "finished") clearAnswer();
  if (isRunning) byId("own-stop").focus({ preventScroll: true });
  else if (wasRunning) byId(run.phase === "finished" ? "own-pick" : "own-train").focus({ preventScroll: true });
  if (run.phase === "interrupted")
    say(
      isCurrent
        ? `Stopped in epoch ${Math.min(run.history.length + 1, run.epochs)} of ${run.epochs}.`
        : "Pictures, classes or settings changed: training begins anew.",
    );
  if (run.phase === "none") say(wasRunning ? "Stopped." : "");
  if (run.phase === "finished") showMade(run, isCurrent);
}

function showMade({ made }: Run, isCurrent: boolean): void {
  if (!made) return;
  const { labels, bytes, compared, largestDifference, last } = made;
  const percent = (share: number): string => `${Math.round(100 * share)} %`;
  const held = last.validationAccuracy;
  say(
    `Trained: ${held === undefined ? `${percent(last.trainingAccuracy)} of its pictures are recognized` : `${percent(held)} of the pictures that were kept back are recognized`}.` +
      (isCurrent ? "" : " Pictures, classes or settings changed since."),
  );
  const difference = largestDifference === 0 ? "0" : largestDifference.toExponential(0);
  byId("own-about").textContent =
    `It tells ${labels.join(", ")} apart. The file of ${(bytes / 1e6).toFixed(1)} MB answers as the network that was trained: on ${compared} pictures no probability is off by more than ${difference}.`;
}

/** The curves' end while an epoch is under way. */
export function showPoint(point: Point, step: number, steps: number): void {
  if (shown?.run.phase !== "running") return;
  live = point;
  const { history, epochs } = shown.run;
  showCurves(history, epochs, live);
  showDoing({ kind: "doing", text: `Epoch ${Math.ceil(point.epoch)} of ${epochs}`, done: step, total: steps });
}

/** What was answered was another network's. */
function clearAnswer(): void {
  byId("own-picture").hidden = true;
  for (const id of ["own-bars", "own-answer"]) byId(id).replaceChildren();
}

/** An answer beside its picture. */
export async function showAnswer(picture: Blob, predictions: readonly Prediction[], milliseconds: number): Promise<void> {
  showBars(byId("own-bars"), predictions);
  byId("own-answer").textContent = `${Math.round(milliseconds)} ms`;
  const bitmap = await createImageBitmap(picture);
  const canvas = byId<HTMLCanvasElement>("own-picture");
  const scale = Math.min(1, SHOWN / Math.max(bitmap.width, bitmap.height));
  canvas.width = Math.max(1, Math.round(bitmap.width * scale));
  canvas.height = Math.max(1, Math.round(bitmap.height * scale));
  canvas.getContext("2d")?.drawImage(bitmap, 0, 0, canvas.width, canvas.height);
  canvas.setAttribute("aria-label", `The picture. Most probable: ${predictions[0].label}.`);
  canvas.hidden = false;
  bitmap.close();
}
