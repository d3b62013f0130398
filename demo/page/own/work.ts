// The work as the worker holds it: classes and pictures in memory but for their files, all of it in the store.
import { type Dataset, decodeImage, type FeatureStore, type Image } from "../../../browser.ts";
import type { OwnClass, OwnPicture, Run, Settings } from "./messages.ts";
import type { KeptPicture, Store } from "./store.ts";

export const NO_RUN: Run = { phase: "none", history: [], epochs: 0, notes: [] };
const FIRST_CLASSES: readonly OwnClass[] = [
  { id: 1, name: "Class 1" },
  { id: 2, name: "Class 2" },
];
const FIRST_SETTINGS: Settings = { approach: "features", epochs: 20, mirror: true };
/** What a run leaves in the store, but for the features: they are the pictures', whatever is trained on them. */
const OF_RUN = ["run", "fingerprint", "model", "checkpoint last", "checkpoint best"];

/** Classes and pictures, their settings, and the run on them. */
export interface Work {
  classes: readonly OwnClass[];
  pictures: readonly OwnPicture[];
  settings: Settings;
  run: Run;
  /** Of the classes, pictures and settings that the run is on. */
  fingerprint: string;
}

export const emptyWork = (): Work => ({ classes: FIRST_CLASSES, pictures: [], settings: FIRST_SETTINGS, run: NO_RUN, fingerprint: "" });

/** What a run depends on, as text. */
export const fingerprintOf = ({ classes, pictures, settings }: Work): string =>
  JSON.stringify([classes, pictures.map(({ id, classId }) => [id, classId]), settings]);

/** What the pictures' features depend on, as text. */
const featuresKeyOf = ({ classes, pictures, settings }: Work): string =>
  JSON.stringify([classes.map(({ id }) => id), pictures.map(({ id, classId }) => [id, classId]), settings.mirror]);

/** The features of these pictures as they are now; those of others are given up. */
export async function keptFeatures(store: Store, work: Work): Promise<FeatureStore> {
  const key = featuresKeyOf(work);
  if ((await store.get("features key")) !== key) {
    await store.delete(["features training", "features validation"]);
    await store.set("features key", key);
  }
  return {
    load: (name) => store.get<Float32Array>(`features ${name}`),
    save: (name, found) => store.set(`features ${name}`, found),
  };
}

/** What was kept. A run that the page's end cut off goes on from its last checkpoint, if it came to one. */
export async function loadWork(store: Store): Promise<{ readonly work: Work; readonly kept: readonly KeptPicture[] }> {
  const kept = await store.pictures();
  const { classes, settings, run, fingerprint } = emptyWork();
  const work: Work = {
    classes: (await store.get("classes")) ?? classes,
    settings: (await store.get("settings")) ?? settings,
    run: (await store.get("run")) ?? run,
    fingerprint: (await store.get("fingerprint")) ?? fingerprint,
    pictures: kept.map(({ id, classId, name }) => ({ id, classId, name })),
  };
  if (work.run.phase === "running") await endRun(store, work);
  return { work, kept };
}

/** A run that did not come to its end. */
export async function endRun(store: Store, work: Work): Promise<void> {
  const hasCheckpoint = (await store.get("checkpoint last")) !== undefined;
  await saveRun(store, work, { ...work.run, phase: hasCheckpoint ? "interrupted" : "none" });
}

/** Where the run is, in memory and in the store. */
export async function saveRun(store: Store, work: Work, run: Run): Promise<void> {
  work.run = run;
  await store.set("run", run);
}

/** What was trained is gone; pictures, classes and settings stay. */
export async function forgetRun(store: Store, work: Work): Promise<void> {
  work.run = NO_RUN;
  work.fingerprint = "";
  await store.delete(OF_RUN);
}

/** The pictures as a data set: each is decoded when it is asked for, one at a time, since a photo of 12 megapixels takes 80 MB meanwhile. */
export function datasetOf({ classes, pictures }: Work, store: Store): Dataset {
  const few = classes.find(({ id }) => !pictures.some(({ classId }) => classId === id));
  if (classes.length < 2) throw new Error("A classifier needs two classes or more: add a class.");
  if (few) throw new Error(`“${few.name}” has no pictures yet: drop some on it, or remove it.`);
  const names = classes.map(({ name }) => name);
  const twice = names.find((name, i) => names.indexOf(name) !== i);
  if (twice !== undefined) throw new Error(`Two classes are called “${twice}”: rename one.`);
  let last: Promise<unknown> = Promise.resolve();
  const read = async ({ id, name }: OwnPicture): Promise<Image> => {
    const kept = await store.picture(id);
    if (!kept) throw new Error(`${name} is no longer in the browser's storage: load the page again.`);
    return decodeImage(kept.file, name);
  };
  return {
    name: "own pictures",
    classNames: names,
    length: pictures.length,
    labels: Uint16Array.from(pictures, ({ classId }) => classes.findIndex(({ id }) => id === classId)),
    image(index) {
      const image = last.then(() => read(pictures[index]));
      last = image.catch(() => undefined);
      return image;
    },
  };
}
