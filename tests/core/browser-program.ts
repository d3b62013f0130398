import { chmod, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { temporaryFolder } from "../cli/run.ts";

/** A program that stands for a browser: started with a page's address as its last argument. @returns its file; not on Windows, where a script is none */
export async function browserProgram(script: string): Promise<string> {
  const file = join(await temporaryFolder(), "browser.cjs");
  await writeFile(file, `#!${process.execPath}\n${script}`);
  await chmod(file, 0o755);
  return file;
}

export const HAS_PROGRAMS = process.platform !== "win32";
if (!HAS_PROGRAMS) console.log("skipped: a script is no program on Windows");
