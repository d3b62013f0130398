// A run: from pictures to a model, its events as what the page shows.

import { keptCheckpoints, type MakeEvent, makeClassifier } from "../../../browser.ts";
import { messageOf } from "../../../core/errors.ts";
import type { Choice } from "../backends.ts";
import { fetchModel, forgetOtherModels } from "../fetch-model.ts";
import type { OfferedModel, Progress } from "../messages.ts";
import type { OwnEvent } from "./messages.ts";
import type { Store } from "./store.ts";
import { datasetOf, endRun, fingerprintOf, forgetRun, keptFeatures, saveRun, type Work } from "./work.ts";

export interface TrainOptions {
  readonly work: Work;
  readonly store: Store;
  readonly device: Choice;
  readonly signal: AbortSignal;
  readonly tell: (event: OwnEvent) => void;
  readonly tellRun: () => void;
}

/** Between two looks at what the page asks for, such as to stop. */
const BREATH_MS = 40;
/** Between two points of a curve. */
const POINT_MS = 200;

const breathe = (): Promise<void> => new Promise((later) => setTimeout(later));

/** The backbone's file: from the browser's cache, else from the site. @throws Error where neither has it. */
async function fetchBackbone(tell: TrainOptions["tell"]): Promise<Uint8Array> {
  try {
    const response = await fetch("backbone.json");
    if (!response.ok) throw new Error(`the server answered ${response.status}`);
    const offered: OfferedModel = await response.json();
    await forgetOtherModels([offered], "backbones/").catch(() => undefined); // it only frees room
    const onProgress = ({ loaded, total }: Progress): void => tell({ kind: "doing", text: `Loading ${offered.name}`, done: loaded, total });
    return (await fetchModel(offered, onProgress)).bytes;
  } catch (cause) {
    const reason = messageOf(cause);
    throw new Error(`The trained network cannot be loaded (${reason}). It is kept after the first time: until then its site must answer.`, {
      cause,
    });
  }
}

/** Trains from the beginning, or goes on where the run on the same pictures was stopped. */
export async function train(options: TrainOptions): Promise<void> {
  const { work, store, device, signal, tell, tellRun } = options;
  const dataset = datasetOf(work, store);
  const fingerprint = fingerprintOf(work);
  const { settings } = work;
  const resume = work.run.phase === "interrupted" && work.fingerprint === fingerprint;
  if (!resume) await forgetRun(store, work);
  work.fingerprint = fingerprint;
  await store.set("fingerprint", fingerprint);
  await saveRun(store, work, { ...work.run, phase: "running", epochs: settings.epochs, notes: [] });
  tellRun();
  try {
    tell({ kind: "doing", text: "Starting …" });
    const backbone = settings.approach === "features" ? await fetchBackbone(tell) : undefined;
    const checkpoints = keptCheckpoints({
      get: (name) => store.get<Uint8Array>(`checkpoint ${name}`),
      set: (name, bytes) => store.set(`checkpoint ${name}`, bytes),
    });
    const features = await keptFeatures(store, work);
    if (device !== "wasm") tell({ kind: "doing", text: "Trying WebGPU …" });
    await breathe();
    const making = makeClassifier(dataset, { ...settings, backbone, device, checkpoints, features, resume, signal });
    let breathed = performance.now();
    for await (const event of making) {
      await show(event, options);
      if (performance.now() - breathed < BREATH_MS) continue;
      await breathe();
      breathed = performance.now();
    }
  } finally {
    if (work.run.phase === "running") await endRun(store, work);
    tellRun();
  }
}

let pointed = 0;

async function show(event: MakeEvent, { work, store, tell, tellRun }: TrainOptions): Promise<void> {
  const { run } = work;
  switch (event.kind) {
    case "device": {
      const what = event.of === "features" ? "Features" : "Training";
      await saveRun(store, work, { ...run, notes: [...run.notes, `${what} on ${event.device}: ${event.why}`] });
      return tellRun();
    }
    case "features":
      return tell({ kind: "doing", text: "Looking at the pictures, once", done: event.done, total: event.total });
    case "start":
      return tell({ kind: "doing", text: `Training, ${event.epochs} epochs`, done: event.step, total: event.steps });
    case "step": {
      if (performance.now() - pointed < POINT_MS) return;
      pointed = performance.now();
      const epoch = event.epoch - 1 + event.batch / event.batches;
      const point = { epoch, loss: event.runningLoss, accuracy: event.runningAccuracy };
      return tell({ kind: "point", point, step: event.step, steps: event.batches * run.epochs });
    }
    case "epoch":
      await saveRun(store, work, { ...run, history: event.history });
      return tellRun();
    case "exporting":
      return tell({ kind: "doing", text: "Exporting, and comparing the file with what was trained …" });
    case "made": {
      const { bytes, compared, largestDifference } = event;
      await store.set("model", bytes);
      const labels = work.classes.map(({ name }) => name);
      const made = { labels, bytes: bytes.length, compared, largestDifference, last: run.history[run.history.length - 1] };
      return saveRun(store, work, { ...run, phase: "finished", made });
    }
  }
}
