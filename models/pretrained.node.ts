import { existsSync } from "node:fs";
import { basename } from "node:path";
import { fileURLToPath } from "node:url";
import { readInput } from "../core/read-file.node.ts";
import type { Backbone } from "./backbones.ts";

const at = (file: string): string => fileURLToPath(new URL(`./pretrained/${file}`, import.meta.url));

/** The models that the package ships: the paths of their files, by name. Each carries its labels and preprocessing. */
export const PRETRAINED = {
  /** SqueezeNet 1.1: 1000 classes of ImageNet, 1.2 million parameters. @see https://arxiv.org/abs/1602.07360 */
  "squeezenet1.1-imagenet": at("squeezenet1.1-imagenet.onnx"),
} as const;

/** The bytes of a backbone's file. @throws FivecropError where the package lacks it. */
export const readBackbone = ({ file }: Backbone): Promise<Uint8Array> =>
  readInput(at(file), `cannot read ${at(file)}, which the package ships`, "install fivecrop anew");

/** The path of a file that the package ships, by its name; undefined where it ships none of this name. */
export const shippedFile = (name: string): string | undefined => (name === basename(name) && existsSync(at(name)) ? at(name) : undefined);
