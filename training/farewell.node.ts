import { existsSync } from "node:fs";
import { join } from "node:path";
import { PROGRAM } from "../core/command-line.node.ts";
import { shellWord, table } from "../core/text.ts";
import { checkpointFile } from "./checkpoint.node.ts";
import { RECIPES } from "./recipes/index.ts";
import type { Recipe } from "./recipes/recipe.ts";
import { expectationText } from "./recipes-command.node.ts";
import type { RunConfig } from "./run-config.ts";
import { RUN_FILES } from "./run-files.node.ts";
import type { RunOutcome } from "./show-run.node.ts";

/** What the directory holds, and what to do next. */
export function farewell(
  { reason, started, reported }: RunOutcome,
  { out, config, dataDir }: { out: string; config: RunConfig; dataDir?: string },
): string[] {
  const data = dataDir === undefined ? "" : ` --data-dir ${shellWord(dataDir)}`;
  if (!started) return ["Stopped before the training began; what was prepared of the pictures stays. To go on: the same command."];
  if (reason === "interrupted") return ["", "To go on:", `  ${PROGRAM} train --resume ${shellWord(out)}${data}`];
  const model = shellWord(join(out, RUN_FILES.model));
  return [
    "",
    ...runListing(out),
    "",
    ...expectation(config),
    "Next:",
    ...(reported ? [] : [`  ${PROGRAM} report ${shellWord(out)}${data}`]),
    `  ${PROGRAM} evaluate ${model} --data ${shellWord(config.data)}${data} --tta five-crop`,
    `  ${PROGRAM} infer PICTURE… --model ${model} --tta five-crop --top 3`,
    `  ${PROGRAM} inspect ${model}`,
  ];
}

/** What the recipe that the run began from is expected to reach. */
function expectation({ recipe }: RunConfig): string[] {
  const known = Object.entries<Recipe>(RECIPES).find(([name]) => name === recipe)?.[1];
  return known ? [`Expected of ${recipe}: ${expectationText(known.expected)}`, `  (${known.source})`, ""] : [];
}

/** Where everything of a finished run lies. */
export const runListing = (out: string): string[] => [
  `In ${out}:`,
  ...table(
    [
      [RUN_FILES.model, "the best epoch, with labels and preprocessing inside"],
      [checkpointFile("best"), "its checkpoint"],
      [checkpointFile("last"), "the checkpoint to go on from"],
      [RUN_FILES.history, "loss, accuracy, rate and seconds of each epoch"],
      [RUN_FILES.curves, "loss and accuracy as a picture"],
      [RUN_FILES.log, "the same every --log-every steps"],
      [RUN_FILES.tensorboard, "event files: tensorboard --logdir shows them"],
      [RUN_FILES.report, "everything to look at: curves, confusions, classes, calibration, pictures"],
      [RUN_FILES.evaluation, "its numbers"],
      [RUN_FILES.calibration, "the temperature that fivecrop calibrate found"],
      [RUN_FILES.config, "everything needed to run it again"],
    ].filter(([name]) => existsSync(join(out, name))),
    { align: "l", indent: 2 },
  ),
];
