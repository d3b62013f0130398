// The second tab's worker: it keeps the work, trains, and classifies. The page only shows and asks.

import { type Classifier, decodeImage, type ImageSource, loadClassifier } from "../../../browser.ts";
import { messageOf } from "../../../core/errors.ts";
import type { Choice } from "../backends.ts";
import type { OwnEvent, OwnRequest } from "./messages.ts";
import { NAME, openStore, type Store } from "./store.ts";
import { makeThumbnail, toBitmap } from "./thumbnails.ts";
import { train } from "./train.ts";
import { emptyWork, fingerprintOf, forgetRun, loadWork, type Work } from "./work.ts";

const TOP = 3;

let store: Store; // once it is open
let work: Work = emptyWork();
let nextId = 1;
let training: AbortController | undefined;
let classifier: { readonly on: Choice; readonly loaded: Classifier<ImageSource> } | undefined;

const tell = (event: OwnEvent, transfer: Transferable[] = []): void => self.postMessage(event, { transfer });
const tellRun = (): void => tell({ kind: "run", run: work.run, isCurrent: work.fingerprint === fingerprintOf(work) });
const tellWork = (): void => {
  tell({ kind: "work", classes: work.classes, settings: work.settings, whyNotKept: store.whyNotKept });
  tellRun();
};

/** A page that is loaded again waits for its own end. */
const LET_GO_MS = 3000;
const HELD = "Another tab of this browser has this page open, and holds your pictures: close it, then load this page again.";

/** One page at a time holds the work, until it ends. @throws Error where another tab of the browser does. */
async function holdWork(): Promise<void> {
  if (!navigator.locks) return; // served insecurely
  await new Promise<void>((held, refused) => {
    const hold = (): Promise<never> => {
      held();
      return new Promise(() => undefined);
    };
    navigator.locks.request(NAME, { signal: AbortSignal.timeout(LET_GO_MS) }, hold).catch(() => refused(new Error(HELD)));
  });
}

async function open(): Promise<void> {
  await holdWork();
  store = await openStore();
  const loaded = await loadWork(store);
  work = loaded.work;
  nextId = 1 + Math.max(0, ...work.classes.map(({ id }) => id), ...work.pictures.map(({ id }) => id));
  tellWork();
  for (const { thumbnail, ...kept } of loaded.kept) {
    const bitmap = await toBitmap(thumbnail);
    tell({ kind: "picture", picture: { id: kept.id, classId: kept.classId, name: kept.name }, thumbnail: bitmap }, [bitmap]);
  }
}

async function changeClasses(classes: Work["classes"]): Promise<void> {
  work.classes = classes;
  await store.set("classes", classes);
  tellWork();
}

async function removePictures(ids: readonly number[]): Promise<void> {
  await store.deletePictures(ids);
  work.pictures = work.pictures.filter(({ id }) => !ids.includes(id));
  tell({ kind: "removed", ids });
  tellRun();
}

/** Each is read first, so that what is kept can be trained on; what cannot be read is said, and the others are kept. */
async function addPictures(classId: number, files: readonly Blob[]): Promise<void> {
  for (const [i, blob] of files.entries()) {
    if (files.length > 1) tell({ kind: "doing", text: "Reading pictures", done: i, total: files.length });
    try {
      const name = blob instanceof File ? blob.name : `camera ${nextId}`;
      const file = new Uint8Array(await blob.arrayBuffer());
      await decodeImage(file, name);
      const picture = { id: nextId++, classId, name };
      const thumbnail = await makeThumbnail(blob);
      await store.putPicture({ ...picture, file, thumbnail });
      work.pictures = [...work.pictures, picture];
      const bitmap = await toBitmap(thumbnail);
      tell({ kind: "picture", picture, thumbnail: bitmap }, [bitmap]);
    } catch (error) {
      tellFailure(error);
    }
  }
  tellRun();
}

async function forgetModel(): Promise<void> {
  await classifier?.loaded.dispose();
  classifier = undefined;
}

async function classify(picture: Blob, device: Choice): Promise<void> {
  const bytes = await store.get<Uint8Array>("model");
  if (!bytes) throw new Error("There is no classifier yet: train one first.");
  if (classifier?.on !== device) {
    await forgetModel();
    classifier = {
      on: device,
      loaded: await loadClassifier(bytes, { name: "your classifier", device: device === "webgpu" ? "webgpu" : "wasm" }),
    };
  }
  const started = performance.now();
  const { predictions } = await classifier.loaded.classify(picture, { top: TOP });
  tell({ kind: "classified", picture, predictions, milliseconds: performance.now() - started });
}

/** @throws Error where nothing was made. */
async function download(): Promise<void> {
  const bytes = await store.get<Uint8Array<ArrayBuffer>>("model");
  if (!bytes) throw new Error("There is no classifier yet: train one first.");
  const name = `${
    (work.run.made?.labels ?? [])
      .join("-")
      .replace(/[^\p{L}\p{N}-]+/gu, "_")
      .slice(0, 60) || "classifier"
  }.onnx`;
  tell({ kind: "file", name, bytes });
}

async function run(device: Choice): Promise<void> {
  await forgetModel();
  training = new AbortController();
  try {
    await train({ work, store, device, signal: training.signal, tell, tellRun });
  } finally {
    training = undefined;
  }
}

const ANSWERS: { readonly [K in OwnRequest["kind"]]: (request: Extract<OwnRequest, { readonly kind: K }>) => Promise<void> } = {
  open,
  "add class": ({ name }) => changeClasses([...work.classes, { id: nextId++, name }]),
  "rename class": ({ id, name }) => changeClasses(work.classes.map((one) => (one.id === id ? { id, name } : one))),
  "remove class": async ({ id }) => {
    await removePictures(work.pictures.filter(({ classId }) => classId === id).map((picture) => picture.id));
    await changeClasses(work.classes.filter((one) => one.id !== id));
  },
  "add pictures": ({ classId, files }) => addPictures(classId, files),
  "remove picture": ({ id }) => removePictures([id]),
  "change settings": async ({ settings }) => {
    work.settings = settings;
    await store.set("settings", settings);
    tellRun();
  },
  train: ({ device }) => run(device),
  stop: async () => undefined, // heard at once, below
  reset: async () => {
    await forgetModel();
    await forgetRun(store, work);
    tellRun();
  },
  "delete everything": async () => {
    await forgetModel();
    await store.clear();
    tell({ kind: "removed", ids: work.pictures.map(({ id }) => id) });
    work = emptyWork();
    tellWork();
  },
  classify: ({ picture, device }) => classify(picture, device),
  download,
};

const tellFailure = (error: unknown): void => {
  const isFull = error instanceof DOMException && error.name === "QuotaExceededError";
  const message = isFull ? "The browser's storage for this page is full: remove pictures, or free space on the disk." : messageOf(error);
  tell({ kind: "failed", message });
};

/** One wish after the other; but a stop is heard in the midst of a run. */
let last: Promise<void> = Promise.resolve();
self.addEventListener("message", ({ data }: MessageEvent<OwnRequest>) => {
  if (data.kind === "stop") return training?.abort();
  last = last
    .then(() => {
      if (data.kind !== "open" && !store) throw new Error(HELD);
      return ANSWERS[data.kind](data as never);
    })
    .catch(tellFailure)
    .then(() => tell({ kind: "idle" }));
});
