import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, mkdtempSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { constants, tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterAll } from "vitest";
import { SAMPLE_FOLDER } from "../../pipeline/datasets/fashion-mnist.ts";

const DIST = resolve(import.meta.dirname, "../../dist");

export interface Finished {
  /** As a shell says it: 128 + the signal's number where a signal ended the process. */
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunCommandOptions {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly bin?: "cli.js" | "infer.js";
  /** A shell's words before the program, such as a limit. */
  readonly before?: string;
  /** Called with the process, and all that it has written to standard output and to standard error, whenever there is more. */
  readonly onOutput?: (child: ChildProcess, soFar: { readonly stdout: string; readonly stderr: string }) => void;
}

/** Runs the built program in a process of its own, as a shell does. */
export function fivecrop(
  args: readonly string[],
  { cwd = tmpdir(), env: more, bin = "cli.js", before, onOutput }: RunCommandOptions = {},
): Promise<Finished> {
  const program = join(DIST, bin);
  if (!existsSync(program)) throw new Error(`${program} is missing: npm run build`);
  const { npm_command: _, FIVECROP_DATA: __, ...inherited } = process.env;
  const env = { ...inherited, ...more };
  const words = [process.execPath, program, ...args];
  const child = before
    ? spawn("bash", ["-c", `${before}; exec "$@"`, "bash", ...words], { cwd, env })
    : spawn(words[0], words.slice(1), { cwd, env });
  const output = { stdout: "", stderr: "" };
  for (const name of ["stdout", "stderr"] as const)
    child[name].setEncoding("utf8").on("data", (text: string) => {
      output[name] += text;
      onOutput?.(child, output);
    });
  return new Promise((done, failed) => {
    child.on("error", failed).on("close", (code, signal) => done({ code: code ?? 128 + constants.signals[signal!], ...output }));
  });
}

/** Lines of JSON as values. */
export const jsonLines = (text: string): Record<string, unknown>[] =>
  text
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));

const root = mkdtempSync(join(tmpdir(), "fivecrop-cli-"));
afterAll(() => rm(root, { recursive: true, force: true }));

/** A new folder that goes away with the test file's end. */
export const temporaryFolder = (): Promise<string> => mkdtemp(join(root, "test-"));

/** One of the package's pictures. */
export const picture = (name: string): string => join(SAMPLE_FOLDER, `${name}.png`);
