import { existsSync, readdirSync } from "node:fs";
import { join, resolve } from "node:path";

const SHARED = resolve(import.meta.dirname, "../../../shared");

/** A file of the folder that lies beside a clone and is no part of the project. */
export const shared = (...path: readonly string[]): string => join(SHARED, ...path);
const folder = shared("data", "photos");

/** Says once, in the test's output, why tests with photos are skipped. */
export const needPhotos = (what: string): boolean => {
  const found = existsSync(folder);
  if (!found) console.log(`skipped: ${what} (no photos in ../shared/data/photos)`);
  return found;
};

/** The photos' files. */
export const photos = (): string[] =>
  readdirSync(folder)
    .sort()
    .map((name) => join(folder, name));

/** One of them. */
export const photo = (name: string): string => join(folder, `${name}.JPEG`);
