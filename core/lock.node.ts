import { readFile, rename, rm, writeFile } from "node:fs/promises";
import { resolve } from "node:path";
import { FivecropError } from "./errors.ts";
import { fileReason } from "./file-error.ts";

/** The locks of this process. */
const own = new Set<string>();

/**
 * Marks something as in use by this process, by a file that holds its number. A lock whose process is gone is taken over.
 * (Libraries for this renew a lock by a timer, which native code that blocks the event loop starves.)
 * @param what is in use, for messages: "the run in runs/a"
 * @returns gives it back
 * @throws FivecropError where another process, or another part of this one, holds it, or the file cannot be written
 */
export async function acquireLock(file: string, what: string): Promise<() => Promise<void>> {
  const key = resolve(file);
  if (own.has(key)) throw inUse(file, what, process.pid);
  own.add(key);
  try {
    while (!(await create(file))) {
      const holder = await holderOf(file);
      if (holder !== process.pid && isAlive(holder)) throw inUse(file, what, holder);
      await takeAway(file, what, holder);
    }
  } catch (error) {
    own.delete(key);
    throw error;
  }
  return async () => {
    await rm(file, { force: true });
    own.delete(key);
  };
}

/** Does something that only one process may do at a time. @throws FivecropError as acquireLock does */
export async function withLock<T>(file: string, what: string, work: () => Promise<T>): Promise<T> {
  const release = await acquireLock(file, what);
  try {
    return await work();
  } finally {
    await release();
  }
}

/** @returns false where it is there already */
async function create(file: string): Promise<boolean> {
  try {
    await writeFile(file, `${process.pid}\n`, { flag: "wx" });
    return true;
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === "EEXIST") return false;
    throw new FivecropError(`cannot write ${file}: ${fileReason(cause)}. To fix: choose a place that can be written.`, { cause });
  }
}

/** The number of the process in a lock, 0 where it has none. One that is just made may still be empty. */
async function holderOf(file: string): Promise<number> {
  for (let tries = 0; tries < 20; tries++) {
    const text = await readFile(file, "utf8").catch(() => "");
    if (text.endsWith("\n")) return Number(text) || 0;
    await new Promise((done) => setTimeout(done, 10));
  }
  return 0;
}

/** Removes a lock that was left behind; what another process put there in the meantime goes back. */
async function takeAway(file: string, what: string, holder: number): Promise<void> {
  const aside = `${file}.${process.pid}`;
  const moved = await rename(file, aside).then(
    () => true,
    () => false, // another process was quicker
  );
  if (!moved) return;
  const found = await holderOf(aside);
  if (found === holder) return rm(aside, { force: true });
  await rename(aside, file);
  throw inUse(file, what, found);
}

/** Whether there is a process of this number. */
export function isAlive(holder: number): boolean {
  if (holder <= 0) return false;
  try {
    process.kill(holder, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

const inUse = (file: string, what: string, holder: number): FivecropError =>
  new FivecropError(
    `${what} is in use by process ${holder}. To fix: wait until it ends, or choose another place. If that process is none of fivecrop, delete ${file}.`,
  );
