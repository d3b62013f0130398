#!/usr/bin/env node
import type { Command } from "commander";
import { createProgram, explain, printError } from "./core/command-line.node.ts";
import { VERSION } from "./export/version.ts";

interface Entry {
  readonly summary: string;
  /** Reads the command's module: nothing that a command needs is loaded before it is asked for. */
  readonly load: () => Promise<Command>;
}

const COMMANDS: Readonly<Record<string, Entry>> = {
  quickstart: {
    summary: "train, export, verify, evaluate and classify on an embedded sample",
    load: async () => (await import("./training/command.ts")).quickstartCommand(),
  },
  train: { summary: "train a classifier", load: async () => (await import("./training/command.ts")).trainCommand() },
  datasets: {
    summary: "list, describe, fetch and show data sets",
    load: async () => (await import("./pipeline/command.ts")).datasetsCommand(),
  },
  models: {
    summary: "list, describe and fetch pretrained models",
    load: async () => (await import("./training/weights/command.node.ts")).modelsCommand(),
  },
  recipes: {
    summary: "list the experiments that train --recipe knows",
    load: async () => (await import("./training/recipes-command.node.ts")).recipesCommand(),
  },
  evaluate: {
    summary: "measure a model on a data set",
    load: async () => (await import("./inference/evaluate-command.node.ts")).evaluateCommand(),
  },
  infer: { summary: "classify pictures", load: async () => (await import("./inference/command.ts")).inferCommand() },
  adopt: {
    summary: "give a foreign model its labels and preprocessing",
    load: async () => (await import("./inference/command.ts")).adoptCommand(),
  },
  verify: {
    summary: "replay the golden samples that a model carries",
    load: async () => (await import("./inference/verify-command.node.ts")).verifyCommand(),
  },
  report: {
    summary: "make a run's report anew",
    load: async () => (await import("./training/report/command.node.ts")).reportCommand(),
  },
  compare: {
    summary: "put runs beside one another",
    load: async () => (await import("./training/report/command.node.ts")).compareCommand(),
  },
  calibrate: {
    summary: "fit a run's probabilities to its validation split",
    load: async () => (await import("./training/report/command.node.ts")).calibrateCommand(),
  },
  export: {
    summary: "export a run again, or a model with its preprocessing inside",
    load: async () => (await import("./export/command.ts")).exportCommand(),
  },
  doctor: {
    summary: "say what this machine has, what works, and what would mend the rest",
    load: async () => (await import("./training/doctor/command.node.ts")).doctorCommand(),
  },
  inspect: { summary: "show what a model consists of", load: async () => (await import("./models/command.ts")).inspectCommand() },
  demo: {
    summary: "serve the page that classifies pictures in a browser",
    load: async () => (await import("./demo/command.ts")).demoCommand(),
  },
};

const EXAMPLES = [
  "fivecrop quickstart",
  "fivecrop infer photo.jpg --tta five-crop",
  "fivecrop train --model fashion-cnn --data fashion-mnist --epochs 5 --out runs/fashion",
  "fivecrop infer boot.png --model runs/fashion/model.onnx --tta five-crop",
  "fivecrop train --help",
];

async function main(argv: readonly string[]): Promise<number> {
  const program = createProgram("fivecrop", "Train image classifiers, export them to ONNX, run them anywhere.", VERSION, EXAMPLES);
  for (const [name, { summary, load }] of Object.entries(COMMANDS))
    program.addCommand((argv.includes(name) ? await load() : program.createCommand(name)).summary(summary));
  const name = argv.find((word) => Object.hasOwn(COMMANDS, word));
  try {
    if (argv.length === 0) program.outputHelp();
    else await program.parseAsync(argv, { from: "user" });
  } catch (thrown) {
    const { text, exitCode } = explain(thrown, name ? `fivecrop ${name}` : "fivecrop", argv.includes("--debug"));
    if (text) printError(text);
    return exitCode;
  }
  return Number(process.exitCode ?? 0);
}

process.on("SIGXFSZ", () => undefined); // past a file size limit a write fails, as on a full disk
let closed = false;
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code !== "EPIPE") throw error;
  if (closed) return;
  closed = true; // `fivecrop inspect … | head` has read enough
  if (process.listenerCount("SIGINT") === 0) process.exit(0);
  process.emit("SIGINT", "SIGINT"); // a training saves its state first
});
process.exitCode = await main(process.argv.slice(2));
