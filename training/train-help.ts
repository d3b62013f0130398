import { BACKBONES, STANDARD_BACKBONE } from "../models/backbones.ts";
import { augmentationLines } from "../pipeline/augmentations/text.ts";
import { FEATURE_DEFAULTS } from "./features/feature-config.ts";
import { flagOf, optionText } from "./report/rerun.ts";

/** What stands under the options of `train`: what it does without --model and by which numbers, and the augmentations. */
export function trainHelp(): string {
  const defaults = Object.entries(FEATURE_DEFAULTS).map(([field, value]) => `${flagOf(field)} ${optionText(field, value)}`);
  return [
    "",
    `Without --model it is ${STANDARD_BACKBONE}: ${BACKBONES[STANDARD_BACKBONE].summary}.`,
    "The features of each picture, of several augmented views of it, are computed once, into the cache; the classifier is trained on them,",
    "calibrated on the validation images, and exported with the network that made them. There the defaults are:",
    `  ${defaults.join(" ")}`,
    "(and with few pictures smaller batches: at least ten in an epoch)",
    "",
    "Augmentations, and numbers that may be left out (in brackets):",
    ...augmentationLines().map((line) => `  ${line}`),
  ].join("\n");
}
