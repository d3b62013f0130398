import { join } from "node:path";
import { type Command, Option } from "commander";
import { createCommand, DATA_DIR, EXIT, numberOption, print } from "../core/command-line.node.ts";
import { type Interrupt, listenForInterrupt } from "../core/interrupt.node.ts";
import { createProgressBar, type ProgressBar } from "../core/progress-bar.node.ts";
import { ARCHITECTURES } from "../models/architectures/index.ts";
import { BACKBONES, STANDARD_BACKBONE } from "../models/backbones.ts";
import { WEIGHT_INITIALIZERS } from "../models/layers/initializers.ts";
import { SHIPPED } from "../models/shipped.ts";
import { parseAugmentations } from "../pipeline/augmentations/text.ts";
import { DATASETS, dataRoot, fileName } from "../pipeline/datasets/index.ts";
import { DEVICE_CHOICES } from "./devices.ts";
import { ENGINE_NAMES } from "./engines/names.ts";
import { farewell, runListing } from "./farewell.node.ts";
import { withFineTuneOptions } from "./fine-tune-options.node.ts";
import { OPTIMIZERS } from "./optimizers.ts";
import { RECIPES } from "./recipes/index.ts";
import { DEFAULTS, networkName } from "./run-config.ts";
import { readRunConfig } from "./run-files.node.ts";
import { SCHEDULES } from "./schedules.ts";
import { showRun } from "./show-run.node.ts";
import { trainHelp } from "./train-help.ts";
import {
  byOption,
  checkResume,
  newRunConfig,
  parsePreprocess,
  parseSizes,
  parseTrainHead,
  parseValidation,
  type TrainOptions,
} from "./train-options.ts";
import { unusedDirectory } from "./unused-directory.node.ts";

const names = (rows: Readonly<Record<string, unknown>>): string => Object.keys(rows).join(", ");
const orDefault = (text: string, value: unknown): string => `${text} (default: ${value})`;

/** `train`: a network on a data set, into a directory. */
export function trainCommand(): Command {
  const number = (flag: string, placeholder: string, text: string, range: Parameters<typeof numberOption>[1]) =>
    new Option(`${flag} <${placeholder}>`, text).argParser(numberOption(flag, range));
  const schedules = Object.values(SCHEDULES).map(({ usage }) => usage);
  const command = createCommand("train", "Train a network on a data set; the best epoch becomes model.onnx.", [
    "fivecrop train --data folder:photos",
    "fivecrop train --model fashion-cnn --data fashion-mnist-sample --epochs 3",
    "fivecrop train --model fashion-cnn --data fashion-mnist --epochs 5 --batch-size 60 --optimizer adam \\\n      --lr 0.01 --schedule exponential:0.999/step --out runs/fashion",
    "fivecrop train --model minivgg --data folder:photos --epochs 20 --augment flip",
    "fivecrop train --model squeezenet1.1.onnx --preset imagenet --data folder:photos --freeze backbone --lr 1e-3",
    "fivecrop train --recipe fashion-lenet-bn --seed 1",
    "fivecrop train --resume runs/fashion",
  ])
    .optionsGroup("What:")
    .option("--recipe <name>", `begin with the options of an experiment: ${names(RECIPES)} (fivecrop recipes shows them)`)
    .option(
      "--model <name>",
      `the network: ${names({ ...BACKBONES, ...ARCHITECTURES })}; to train further ${names(SHIPPED)}, or an ONNX file (default: ${STANDARD_BACKBONE}, see below)`,
    )
    .addOption(
      number("--views", "n", "of mobilenetv2-features: how many views it learns of each picture (default: 10)", { whole: true, from: 1 }),
    )
    .addOption(
      new Option("--head <units>", "hidden layers in place of the network's own, such as 512,256, none, or own").argParser(parseTrainHead),
    )
    .addOption(number("--dropout", "share", "behind each hidden layer of --head (default: none)", { from: 0, below: 1 }))
    .option("--weights <file>", "begin with these weights: .safetensors, .pth, or a name that fivecrop models list has (default: drawn)")
    .option("--initialization <name>", `how weights are drawn: ${names(WEIGHT_INITIALIZERS)} (default: as the network's source says)`)
    .option("--data <name>", `the data set: ${names(DATASETS)}, or folder:PATH, a folder with a folder of pictures for each class`)
    .option(...DATA_DIR)
    .addOption(
      new Option(
        "--validation <amount>",
        orDefault(
          "the share of the training images, or how many of them, that is kept to choose the best epoch, where the data set brings none",
          DEFAULTS.validation,
        ),
      ).argParser(parseValidation),
    )
    .addOption(
      new Option(
        "--preprocess <json>",
        'changes of the data set\'s preprocessing, such as {"mean":[0],"std":[1]}; {"crop":[96,96]} is the input\'s size',
      ).argParser(parsePreprocess),
    )
    .addOption(
      new Option("--augment <list>", "random changes of the images, such as flip,random-crop:4; see below (default: none)").argParser(
        parseAugmentations,
      ),
    )
    .addOption(
      number("--label-smoothing", "number", orDefault("the share of a label that is spread over all classes", DEFAULTS.labelSmoothing), {
        from: 0,
        below: 1,
      }),
    )
    .option("--strict", "fail on a picture that cannot be read (default: it is named and left out)")
    .optionsGroup("How:")
    .addOption(number("--epochs", "n", orDefault("how often all images are seen", DEFAULTS.epochs), { whole: true, from: 1 }))
    .addOption(number("--batch-size", "n", orDefault("images of a step", DEFAULTS.batchSize), { whole: true, from: 1 }))
    .option("--optimizer <name>", orDefault(names(OPTIMIZERS), DEFAULTS.optimizer))
    .addOption(number("--lr", "rate", orDefault("the learning rate", DEFAULTS.learningRate), { above: 0 }))
    .option(
      "--schedule <text>",
      orDefault(`how the rate changes: ${schedules.join(", ")}; then /step or /epoch, +warmup:STEPS`, DEFAULTS.schedule),
    )
    .addOption(number("--weight-decay", "number", "how strongly weights are drawn to 0 (default: 0; of adamw: 0.01)", { from: 0 }))
    .addOption(number("--momentum", "number", "of sgd (default: 0)", { from: 0, below: 1 }))
    .option("--nesterov", "Nesterov's momentum, of sgd")
    .option("--no-nesterov", "without it, where a recipe has it")
    .addOption(number("--beta1", "number", "of adam and adamw (default: 0.9)", { from: 0, below: 1 }))
    .addOption(number("--beta2", "number", "of adam and adamw (default: 0.999)", { from: 0, below: 1 }))
    .addOption(number("--epsilon", "number", "of adam and adamw (default: 1e-8)", { from: 0 }))
    .addOption(
      number("--ema", "decay", "keep a moving average of the weights, and validate and export it, such as 0.999 (default: 0, none)", {
        from: 0,
        below: 1,
      }),
    )
    .option("--ema-warmup", "let the average's decay rise with the steps")
    .option("--no-ema-warmup", "without it, where a recipe has it")
    .addOption(
      new Option(
        "--sizes <list>",
        "train the first epochs on smaller images: 16:10,24:5 is 10 epochs at 16 pixels, 5 at 24, the rest at full size; 16:10:256 with batches of 256",
      ).argParser(parseSizes),
    )
    .addOption(number("--patience", "n", "stop after this many epochs without a better one (default: 0, never)", { whole: true, from: 0 }))
    .addOption(number("--seed", "n", orDefault("what all random numbers come from", DEFAULTS.seed), { whole: true, from: 0 }))
    .addOption(number("--threads", "n", "threads of one operator on the cpu (default: the runtime's choice)", { whole: true, from: 1 }))
    .option("--engine <name>", orDefault(`what computes the steps: ${ENGINE_NAMES.join(", ")}`, "onnxruntime; with --resume the run's own"))
    .addOption(
      new Option(
        "--device <name>",
        "where to compute; auto takes the first card that is right and faster than the cpu, and says why (default: cpu, or what the run to resume had; auto with --engine auto)",
      ).choices(DEVICE_CHOICES),
    )
    .optionsGroup("What it leaves:")
    .addOption(
      number("--log-every", "n", "validate and record every n steps as well, in log.csv (default: 0, at each epoch's end only)", {
        whole: true,
        from: 0,
      }),
    )
    .option("--tensorboard", "write event files, for tensorboard --logdir DIR")
    .option("--no-tensorboard", "without them, where a recipe has them")
    .option("--out <dir>", "where the run is kept (default: runs/MODEL-DATA)")
    .option("--overwrite", "replace the run that is there")
    .option("--no-report", "leave no report.html: it measures on up to 10,000 images of the test split")
    .option("--resume <dir>", "go on with a run that was stopped, as if it had not been")
    .addHelpText("after", trainHelp)
    .action(train);
  return withFineTuneOptions(command);
}

const stopGently = (progress: ProgressBar): Interrupt =>
  listenForInterrupt(() => {
    progress.end();
    process.stderr.write("Stopping after this step; press Ctrl-C again to stop at once.\n");
  });

async function train(options: TrainOptions): Promise<void> {
  if (options.resume !== undefined) checkResume(options);
  const config =
    options.resume === undefined
      ? await newRunConfig(options)
      : { ...(await readRunConfig(options.resume)), ...(options.engine !== undefined && { engine: options.engine }) };
  const out = options.resume ?? options.out ?? unusedDirectory(join("runs", `${networkName(config.model)}-${fileName(config.data)}`));
  const { json = false, overwrite, report = true, strict, dataDir, device } = options;
  const { run } = await import("./run.node.ts");
  const progress = createProgressBar({ quiet: json });
  const interrupt = stopGently(progress);
  try {
    const events = run(config, {
      out,
      dataRoot: dataRoot(dataDir),
      resume: options.resume !== undefined,
      overwrite,
      report,
      strict,
      device,
      signal: interrupt.signal,
    });
    const outcome = await showRun(events, { json, title: `${networkName(config.model)} on ${config.data}`, progress, print });
    if (!json) for (const line of farewell(outcome, { out, config, dataDir })) print(line);
    if (outcome.reason === "interrupted" || (report && !outcome.reported)) process.exitCode = interrupt.exitCode() ?? EXIT.failed;
  } catch (error) {
    throw options.resume === undefined ? byOption(error) : error;
  } finally {
    interrupt.dispose();
  }
}

/** `quickstart`: the whole way, on data that the package has. */
export function quickstartCommand(): Command {
  return createCommand("quickstart", "Train on the embedded sample, export, verify, evaluate and classify: well under a minute.", [
    "fivecrop quickstart",
    "fivecrop quickstart --out runs/first",
  ])
    .option("--out <dir>", "where the run is kept; a run that is there is replaced", "runs/quickstart")
    .action(async ({ out, json = false }: { out: string; json?: boolean }) => {
      const { quickstart } = await import("./quickstart.node.ts");
      const progress = createProgressBar({ quiet: json });
      const interrupt = stopGently(progress);
      try {
        const finished = await quickstart({ out, json, progress, print, signal: interrupt.signal, listing: runListing });
        if (!finished) process.exitCode = interrupt.exitCode() ?? EXIT.failed;
      } finally {
        interrupt.dispose();
      }
    });
}
