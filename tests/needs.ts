import { existsSync } from "node:fs";
import { relative } from "node:path";

/** Whether a file that is no part of the project is there; says once, in the test's output, why a test is skipped. */
export function needFile(file: string, what: string): boolean {
  const found = existsSync(file);
  if (!found) console.log(`skipped: ${what} (no ${relative(".", file)})`);
  return found;
}
