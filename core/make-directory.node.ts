import { mkdir, stat } from "node:fs/promises";
import { dirname, resolve } from "node:path";

/**
 * Makes a directory and those above it. One by one: Node's own recursive way never ends on some read-only systems, and on others it names the wrong fault.
 * @throws Error as the system says it, where something in the way is no directory, or cannot be made.
 */
export async function makeDirectory(path: string): Promise<void> {
  const found = await stat(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return undefined;
    throw error;
  });
  if (found?.isDirectory()) return;
  if (found) throw new Error(`${path} is a file, where a directory is expected`);
  const above = dirname(resolve(path));
  if (above !== resolve(path)) await makeDirectory(above);
  await mkdir(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== "EEXIST") throw error;
  });
}
