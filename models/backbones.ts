import type { ImageShape } from "./network.ts";

/** A network without its classifier, whose weights stay as they are: images → features [N, width]. */
export interface Backbone {
  readonly summary: string;
  /** Its file's name among those that the package ships. */
  readonly file: string;
  /** One image, [C, H, W]. */
  readonly input: ImageShape;
  /** The preset of preprocessing that it was trained with. */
  readonly preset: string;
  readonly features: number;
}

/** The networks on features, by name: what is learned is a classifier on the features that one of these makes. */
export const BACKBONES = {
  "mobilenetv2-features": {
    summary: "a classifier on the features of MobileNetV2, which was trained on ImageNet; for 224×224 colour",
    file: "mobilenetv2-imagenet-headless.onnx",
    input: [3, 224, 224],
    preset: "imagenet",
    features: 1280,
  },
} as const satisfies Readonly<Record<string, Backbone>>;

/** The one that trains where no network is named. */
export const STANDARD_BACKBONE: keyof typeof BACKBONES = "mobilenetv2-features";

/** Undefined where the name is of another kind of network. */
export const backboneOf = (name: string): Backbone | undefined =>
  Object.hasOwn(BACKBONES, name) ? BACKBONES[name as keyof typeof BACKBONES] : undefined;
