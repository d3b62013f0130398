import { readFile, rm, writeFile } from "node:fs/promises";
import { FivecropError } from "./errors.ts";

const isAlive = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
};

/**
 * Does something that only one process may do at a time. A lock whose process has died is taken over.
 * @throws FivecropError where another process has it.
 */
export async function withLock<T>(file: string, what: string, work: () => Promise<T>): Promise<T> {
  for (let again = false; ; again = true) {
    try {
      await writeFile(file, String(process.pid), { flag: "wx" });
      break;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
      const holder = Number(await readFile(file, "utf8").catch(() => "0"));
      if (again || (holder > 0 && isAlive(holder)))
        throw new FivecropError(
          `${what} is under way in another process (${holder}). To fix: wait for it; if there is none, delete ${file}.`,
          {
            cause: error,
          },
        );
      await rm(file, { force: true });
    }
  }
  try {
    return await work();
  } finally {
    await rm(file, { force: true });
  }
}
