import { fileURLToPath } from "node:url";

const at = (file: string): string => fileURLToPath(new URL(`./pretrained/${file}`, import.meta.url));

/** The models that the package ships: the paths of their files, by name. Each carries its labels and preprocessing. */
export const PRETRAINED = {
  /** SqueezeNet 1.1: 1000 classes of ImageNet, 1.2 million parameters. @see https://arxiv.org/abs/1602.07360 */
  "squeezenet1.1-imagenet": at("squeezenet1.1-imagenet.onnx"),
} as const;
