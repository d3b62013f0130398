import type { Command } from "commander";
import { writeWhole } from "../../core/atomic-file.node.ts";
import { createCommand, DATA_DIR, EXIT, numberOption, print } from "../../core/command-line.node.ts";
import { UsageError } from "../../core/errors.ts";
import { stopAtInterrupt } from "../../core/interrupt.node.ts";
import { createProgressBar, type ProgressBar } from "../../core/progress-bar.node.ts";
import { bytes } from "../../core/text.ts";
import { dataRoot } from "../../pipeline/datasets/index.ts";
import { showPreparation } from "../show-preparation.node.ts";
import type { CalibrateEvent, CalibrateOptions } from "./calibrate-run.node.ts";
import type { ReportEvent, ReportOptions } from "./report-run.node.ts";
import { calibratedLines, reportedLines, showMeasuring } from "./show-report.node.ts";

const STRICT = ["--strict", "fail on a picture that cannot be read (default: it is named and left out)"] as const;

/** Makes a run's report and says so. @returns whether it came to its end. */
async function report(run: string, options: ReportOptions, json: boolean, progress: ProgressBar): Promise<boolean> {
  const { reportRun } = await import("./report-run.node.ts");
  let reported: Extract<ReportEvent, { kind: "reported" }> | undefined;
  try {
    for await (const event of reportRun(run, options))
      if (event.kind === "measuring") showMeasuring(progress, event);
      else if (event.kind === "reported") reported = event;
      else showPreparation(event, progress);
  } finally {
    progress.clear();
  }
  if (reported) for (const line of json ? [JSON.stringify(reported)] : reportedLines(reported)) print(line);
  return reported !== undefined;
}

interface ReportCommandOptions {
  readonly split?: string;
  readonly limit?: number;
  readonly strict?: true;
  readonly dataDir?: string;
  readonly json?: true;
}

/** `report`: a run's page, made anew. */
export function reportCommand(): Command {
  return createCommand(
    "report",
    "Make a run's report.html anew from its files, also of a run that was stopped: measures its best weights, or its last ones where no epoch was finished.",
    ["fivecrop report runs/fashion", "fivecrop report runs/fashion --split validation", "fivecrop report runs/fashion --limit 1000 --json"],
  )
    .argument("<run>", "the directory of a run, as train leaves it")
    .option("--split <name>", "what to measure on (default: test where the data set has it, else validation)")
    .option("--limit <n>", "at most so many images, drawn by a seed (default: 10000)", numberOption("--limit", { whole: true, from: 1 }))
    .option(...STRICT)
    .option(...DATA_DIR)
    .action(async (run: string, { split, limit, strict, dataDir, json = undefined }: ReportCommandOptions) => {
      const progress = createProgressBar({ quiet: json === true });
      const interrupt = stopAtInterrupt(progress);
      try {
        const options = { split, limit, strict, dataRoot: dataRoot(dataDir), signal: interrupt.signal };
        if (!(await report(run, options, json === true, progress))) process.exitCode = interrupt.exitCode() ?? EXIT.failed;
      } finally {
        interrupt.dispose();
      }
    });
}

interface CalibrateCommandOptions {
  readonly report: boolean;
  readonly strict?: true;
  readonly dataDir?: string;
  readonly json?: true;
}

/** `calibrate`: a temperature for a run's model. */
export function calibrateCommand(): Command {
  return createCommand(
    "calibrate",
    "Fit a temperature to a run's validation split and store it in its model.onnx: infer, evaluate, the page and exports then give calibrated probabilities. The report is made anew and shows the error before and after.",
    ["fivecrop calibrate runs/fashion", "fivecrop calibrate runs/fashion --no-report --json"],
  )
    .argument("<run>", "the directory of a finished run, as train leaves it")
    .option("--no-report", "leave report.html as it is")
    .option(...STRICT)
    .option(...DATA_DIR)
    .action(async (run: string, { report: withReport, strict, dataDir, json = undefined }: CalibrateCommandOptions) => {
      const progress = createProgressBar({ quiet: json === true });
      const interrupt = stopAtInterrupt(progress);
      const options = { dataRoot: dataRoot(dataDir), strict, signal: interrupt.signal };
      try {
        const done =
          (await calibrate(run, options, json === true, progress)) &&
          (!withReport || (await report(run, options, json === true, progress)));
        if (!done) process.exitCode = interrupt.exitCode() ?? EXIT.failed;
      } finally {
        interrupt.dispose();
      }
    });
}

async function calibrate(run: string, options: CalibrateOptions, json: boolean, progress: ProgressBar): Promise<boolean> {
  const { calibrateRun } = await import("./calibrate-run.node.ts");
  let calibrated: Extract<CalibrateEvent, { kind: "calibrated" }> | undefined;
  try {
    for await (const event of calibrateRun(run, options))
      if (event.kind === "measuring") showMeasuring(progress, event);
      else if (event.kind === "calibrated") calibrated = event;
      else showPreparation(event, progress);
  } finally {
    progress.clear();
  }
  if (calibrated) for (const line of json ? [JSON.stringify(calibrated)] : calibratedLines(calibrated)) print(line);
  return calibrated !== undefined;
}

/** `compare`: runs beside one another. */
export function compareCommand(): Command {
  return createCommand("compare", "Put runs beside one another: a table here, their curves in a page.", [
    "fivecrop compare runs/fashion runs/fashion-2",
    "fivecrop compare runs/* --out ablations.html",
    "fivecrop compare runs/scratch runs/fine-tuned --json",
  ])
    .argument("<runs...>", "directories of runs, as train leaves them; at least two")
    .option("--out <file>", "the page to write", "compare.html")
    .action(async (runs: readonly string[], { out, json = undefined }: { readonly out: string; readonly json?: true }) => {
      if (runs.length < 2) throw new UsageError(`compare: expected at least two runs, received ${runs.length}.`);
      const [{ compareDirectories }, { comparePage }, { comparisonLines }] = await Promise.all([
        import("./compare-runs.node.ts"),
        import("./compare-page.ts"),
        import("./compare.ts"),
      ]);
      const comparison = await compareDirectories(runs);
      const page = comparePage(comparison);
      await writeWhole(out, page);
      const lines = [...comparisonLines(comparison), "", `${out}: ${bytes(Buffer.byteLength(page))}`];
      for (const line of json ? [JSON.stringify({ file: out, ...comparison })] : lines) print(line);
    });
}
