import { rmSync } from "node:fs";
import { open, readdir, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { FivecropError } from "./errors.ts";
import { fileReason } from "./file-error.ts";
import { isAlive } from "./lock.node.ts";

/** Files under way: they go where the process exits before them. A signal that kills it leaves one `.tmp` beside the file, for `removeAbandoned`. */
const unfinished = new Set<string>();
let counter = 0;

function removeUnfinished(): void {
  for (const file of unfinished) rmSync(file, { force: true });
}

/** `best.safetensors.4711-3.tmp`: what it was to become, and whose it is. */
const UNDER_WAY = /^(.+)\.(\d+)-\d+\.tmp$/;

/** Removes what processes that are gone left of these files in a directory when they were killed in the midst of a write. */
export async function removeAbandoned(directory: string, names: readonly string[]): Promise<void> {
  for (const entry of await readdir(directory)) {
    const [, name, holder] = UNDER_WAY.exec(entry) ?? [];
    if (name === undefined || !names.includes(name)) continue;
    const file = join(directory, entry);
    const inUse = Number(holder) === process.pid ? unfinished.has(file) : isAlive(Number(holder));
    if (!inUse) await rm(file, { force: true });
  }
}

/**
 * Writes a file whole or not at all: beside it first, to the disk, then in one move.
 * @throws FivecropError where it cannot be written; what was there is then as it was.
 */
export async function writeWhole(file: string, content: string | Uint8Array): Promise<void> {
  const beside = `${file}.${process.pid}-${counter++}.tmp`;
  if (counter === 1) process.on("exit", removeUnfinished);
  unfinished.add(beside);
  try {
    const handle = await open(beside, "wx");
    try {
      await handle.writeFile(content);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(beside, file);
  } catch (cause) {
    await rm(beside, { force: true }).catch(() => undefined);
    throw new FivecropError(`cannot write ${file}: ${fileReason(cause)}. To fix: free some space, or choose a place that can be written.`, {
      cause,
    });
  } finally {
    unfinished.delete(beside);
  }
}
