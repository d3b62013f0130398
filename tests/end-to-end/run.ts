import { expect } from "vitest";
import { fivecrop } from "../cli/run.ts";

/** What a run leaves in its directory, in order. */
export const RUN_LEFT: readonly string[] = [
  "best.safetensors",
  "curves.svg",
  "evaluation.json",
  "history.csv",
  "last.safetensors",
  "model.onnx",
  "report.html",
  "run.json",
];

/** Without the lines that a slow machine sees while it waits. */
const withoutProgress = (stderr: string): string => stderr.replace(/^(epoch|evaluate|measure:) .*(left|%).*\n/gm, "");

/** A command that does what it is asked for and complains of nothing. @returns what it printed */
export async function succeed(cwd: string, args: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await fivecrop(args, { cwd });
  expect({ code, stderr: withoutProgress(stderr) }).toEqual({ code: 0, stderr: "" });
  return stdout;
}
