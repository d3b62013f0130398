import { mkdir, rmdir, stat } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { FivecropError } from "./errors.ts";
import { fileReason } from "./file-error.ts";

/**
 * Makes a directory and those above it. One by one: Node's own recursive way never ends on some read-only systems, and on others it names the wrong fault.
 * @returns those that were missing, from the top
 * @throws Error as the system says it, where something in the way is no directory, or cannot be made.
 */
export async function makeDirectory(path: string): Promise<readonly string[]> {
  const found = await stat(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return undefined;
    throw error;
  });
  if (found?.isDirectory()) return [];
  if (found) throw new Error(`${path} is a file, where a directory is expected`);
  const above = dirname(resolve(path));
  const made = above === resolve(path) ? [] : await makeDirectory(above);
  try {
    await mkdir(path);
    return [...made, path];
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return made;
    throw error;
  }
}

/**
 * Makes a directory, and those above it, for who asked for it.
 * @param what begins the message: an option, or what is to be kept there
 * @param fix ends it
 * @returns those that were missing, from the top
 * @throws FivecropError where it cannot be made
 */
export async function makeDirectoryFor(path: string, what: string, fix = "choose a place that can be written"): Promise<readonly string[]> {
  try {
    return await makeDirectory(path);
  } catch (cause) {
    throw new FivecropError(`${what}: cannot make the directory ${path}: ${fileReason(cause)}. To fix: ${fix}.`, { cause });
  }
}

/** Removes a directory that holds nothing. @returns false where it holds something. @throws Error as the system says it. */
export async function removeEmpty(path: string): Promise<boolean> {
  try {
    await rmdir(path);
    return true;
  } catch (error) {
    const { code = "" } = error as NodeJS.ErrnoException;
    if (["ENOTEMPTY", "EEXIST"].includes(code)) return false;
    if (code === "ENOENT") return true;
    throw error;
  }
}
