export interface ShippedModel {
  /** What it is good for. */
  readonly summary: string;
  /** The preset of preprocessing that it was trained with, where its file does not say it. */
  readonly preset?: string;
}

/** The models that the package ships, by the name of their file without its ending: `train --model` takes each, to train it further. */
export const SHIPPED = {
  /** SqueezeNet 1.1: 1000 classes of ImageNet, 1.2 million parameters. @see https://arxiv.org/abs/1602.07360 */
  "squeezenet1.1-imagenet": { summary: "ready to run: 1,000 classes" },
  /** MobileNetV2 up to its 1280 features, 2.2 million parameters. @see https://arxiv.org/abs/1801.04381 */
  "mobilenetv2-imagenet-headless": { summary: "features without a classifier, to train further", preset: "imagenet" },
} as const satisfies Readonly<Record<string, ShippedModel>>;

export const isShipped = (name: string): name is keyof typeof SHIPPED => Object.hasOwn(SHIPPED, name);
