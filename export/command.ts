import { type Command, Option } from "commander";
import { createCommand } from "../core/command-line.node.ts";
import { dataRoot } from "../pipeline/datasets/index.ts";
import type { ExportRunOptions } from "../training/export-run.node.ts";
import { CHECKPOINT_NAMES, RUN_FILES } from "../training/run-files.node.ts";
import { exportedLine } from "../training/show-run.node.ts";

interface ExportCommandOptions extends Omit<ExportRunOptions, "dataRoot"> {
  readonly dataDir?: string;
  readonly json?: true;
}

/** `export`: a run's checkpoint as a file for others. */
export function exportCommand(): Command {
  return createCommand(
    "export",
    "Export a run's checkpoint again. An ONNX file is compared with the training engine on images of the run's data set.",
    [
      "fivecrop export runs/fashion",
      "fivecrop export runs/fashion --checkpoint last --out last.onnx",
      "fivecrop export runs/fashion --format safetensors",
    ],
  )
    .argument("<run>", "the directory of a run, as train leaves it")
    .addOption(new Option("--checkpoint <name>", "which weights").choices(CHECKPOINT_NAMES).default("best"))
    .addOption(new Option("--format <name>", "the whole network, or its weights by name").choices(["onnx", "safetensors"]).default("onnx"))
    .option("--out <file>", `the file to write (default: in the run, ${RUN_FILES.model} for the best checkpoint)`)
    .option("--data-dir <dir>", "the folder of all data sets (default: $FIVECROP_DATA, else the user's cache folder)")
    .action(async (run: string, { dataDir, json = undefined, ...options }: ExportCommandOptions) => {
      const { exportRun } = await import("../training/export-run.node.ts");
      const exported = await exportRun(run, { ...options, dataRoot: dataRoot(dataDir) });
      process.stdout.write(`${json ? JSON.stringify(exported) : exportedLine(exported)}\n`);
    });
}
