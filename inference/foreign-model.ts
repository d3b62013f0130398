import { FivecropError } from "../core/errors.ts";
import type { Session, SessionMaker } from "../core/session.ts";
import type { OutputKind } from "../export/metadata.ts";
import { outputKindOf } from "../export/output-kind.ts";
import { type PreprocessSpec, validatePreprocess } from "../pipeline/preprocess.ts";
import { preprocessFor } from "../pipeline/preprocess-for.ts";
import { PRESETS, type PresetName } from "../pipeline/presets.ts";
import { answerToBlank } from "./blank-answer.ts";
import { metadataOf, refuseExternalWeights } from "./model-contract.ts";
import { likeProbabilities } from "./probabilities.ts";

/** What a classifier without metadata takes and gives, as the file itself and its answer to a blank picture tell; the rest must be said. */
export interface ForeignModel {
  /** How many numbers it answers with: a label each. */
  readonly classes: number;
  readonly outputKind: OutputKind;
  /** Every preset, fitted to its input; where the file leaves the input's size free, of the preset's own. */
  readonly presets: Readonly<Record<PresetName, PreprocessSpec>>;
  /** The likeliest of them. */
  readonly preset: PresetName;
}

/** Smaller inputs are rarely of networks that were made for ImageNet. */
const SMALLEST_PHOTO = 64;

/**
 * What can be said of a model of others without asking.
 * @returns undefined where the file says all itself, in metadata of ours.
 * @throws FivecropError where it is no ONNX model, or no classifier [N, C, H, W] → [N, classes] of gray or colour pictures.
 */
export async function describeForeign(model: Uint8Array, createSession: SessionMaker, name: string): Promise<ForeignModel | undefined> {
  if (metadataOf(model, name)) return undefined;
  refuseExternalWeights(model, name);
  const session = await createSession(model, { name });
  try {
    const size = inputOf(session, name);
    const fitted = Object.entries(PRESETS).map(([preset, spec]) => [preset, validatePreprocess(preprocessFor(spec, size))] as const);
    const presets = Object.fromEntries(fitted) as ForeignModel["presets"];
    const preset = size[0] === 3 && Math.min(size[1], size[2]) >= SMALLEST_PHOTO ? "imagenet" : "zero-to-one";
    const row = await answerToBlank(session, presets[preset], name);
    const outputKind = outputKindOf(model) ?? (likeProbabilities(row) ? "probabilities" : "logits");
    return { classes: row.length, outputKind, presets, preset };
  } finally {
    await session.dispose();
  }
}

/** [C, H, W] of its input; what the file leaves free is in colour, of a preset's size. */
function inputOf({ inputs }: Session, name: string): readonly [number, number, number] {
  const [shape = []] = inputs.map((input) => input.shape);
  const [channels, height, width] = [3, ...PRESETS.imagenet.crop].map((free, i) => {
    const side = shape[i + 1];
    return typeof side === "number" && side > 0 ? side : free;
  });
  if (inputs.length !== 1 || shape.length !== 4 || (channels !== 1 && channels !== 3))
    throw new FivecropError(
      `${name}: expected one input, pictures [N,C,H,W] of 1 channel or 3; found ${inputs.map((input) => `${input.dtype} [${input.shape}]`).join(" and ") || "none"}. ` +
        "To fix: export it with the channels before the height and the width.",
    );
  return [channels, height, width];
}
