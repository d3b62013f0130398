import type { Command } from "commander";
import { createCommand, EXIT, print } from "../core/command-line.node.ts";
import { UsageError } from "../core/errors.ts";
import { nameOfView, parseViews } from "../pipeline/views.ts";
import type { Divergence, Verification } from "./verify-samples.ts";

interface VerifyCommandOptions {
  readonly device: string;
  readonly json?: true;
}

/** `verify`: whether a model's file still answers as it did when it was written. */
export function verifyCommand(): Command {
  return createCommand(
    "verify",
    "Replay the golden samples that a model carries. The exit code is 1 where they disagree, and the first stage that diverges is named.",
    ["fivecrop verify runs/fashion/model.onnx", "fivecrop verify runs/fashion/model.onnx --device cpu --json"],
  )
    .argument("<model>", "an ONNX classifier that fivecrop exported")
    .option("--device <name>", "where to run it: cpu", "cpu")
    .action(verify);
}

async function verify(model: string, { device, json = undefined }: VerifyCommandOptions): Promise<void> {
  if (device !== "cpu") throw new UsageError(`--device: expected cpu, received '${device}'. Other devices are not supported here.`);
  const { verifyFile } = await import("./golden-samples.node.ts");
  const found = await verifyFile(model);
  for (const line of json ? [JSON.stringify({ model, device, ...found })] : verificationLines(model, device, found)) print(line);
  if (found.divergence) process.exitCode = EXIT.failed;
}

function verificationLines(model: string, device: string, { samples, views, largestDifference, divergence }: Verification): string[] {
  return [
    `${model}: ${samples} golden samples, ${views}, on ${device}`,
    `  largest difference of a probability: ${largestDifference === 0 ? "0" : largestDifference.toExponential(1)}`,
    divergence ? `  first stage that diverges: ${divergenceText(divergence, views)}` : "  every stage agrees",
  ];
}

function divergenceText({ stage, sample, view, expected, found }: Divergence, views: string): string {
  const where = view === undefined ? sample : `${sample}, ${nameOfView(parseViews(views)[view])}`;
  return `${stage} (${where}): expected ${expected}, found ${found}`;
}
