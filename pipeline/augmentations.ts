import { UsageError } from "../core/errors.ts";
import { lookUp } from "../core/nearest.ts";
import type { Random } from "../core/random.ts";
import { crop, flipHorizontal, type Image } from "./image.ts";

/** A random change of a training image, as plain JSON. */
export type AugmentationSpec =
  /** Mirrored, one time in two. */
  | { readonly kind: "flip" }
  /** Moved by up to `padding` whole pixels in each direction, black coming in: a crop of the image's own size from the padded image. */
  | { readonly kind: "random-crop"; readonly padding: number };

type Kind = AugmentationSpec["kind"];
type SpecOf<K extends Kind> = Extract<AugmentationSpec, { readonly kind: K }>;

const AUGMENTATIONS: { readonly [K in Kind]: (image: Image, spec: SpecOf<K>, random: Random) => Image } = {
  flip: (image, _, random) => (random.uniform() < 0.5 ? flipHorizontal(image) : image),
  "random-crop": (image, { padding }, random) => {
    const x = random.integer(2 * padding + 1) - padding;
    const y = random.integer(2 * padding + 1) - padding;
    return crop(image, { x, y, width: image.width, height: image.height });
  },
};

/** @throws UsageError where a kind is unknown or a number out of range. */
export function checkAugmentations(specs: readonly AugmentationSpec[]): void {
  for (const spec of specs) {
    lookUp("augmentation", AUGMENTATIONS as Readonly<Record<string, unknown>>, spec.kind);
    if (spec.kind === "random-crop" && !(Number.isInteger(spec.padding) && spec.padding >= 0))
      throw new UsageError(`augmentation random-crop: padding: expected a whole number of pixels, 0 or more, received ${spec.padding}`);
  }
}

const apply = <K extends Kind>(image: Image, spec: SpecOf<K>, random: Random): Image => AUGMENTATIONS[spec.kind as K](image, spec, random);

/** One after the other, on the image as the data set has it, before it is preprocessed. */
export const augment = (image: Image, specs: readonly AugmentationSpec[], random: Random): Image =>
  specs.reduce((changed, spec) => apply(changed, spec, random), image);
