import { fileURLToPath } from "node:url";
import { readInput } from "../core/read-file.node.ts";
import type { Backbone } from "./backbones.ts";
import { isShipped, SHIPPED } from "./shipped.ts";

const at = (file: string): string => fileURLToPath(new URL(`./pretrained/${file}`, import.meta.url));

/** The paths of the models that the package ships, by name. One that classifies carries its labels and preprocessing. */
export const PRETRAINED = Object.fromEntries(Object.keys(SHIPPED).map((name) => [name, at(`${name}.onnx`)])) as Readonly<
  Record<keyof typeof SHIPPED, string>
>;

/** The bytes of a backbone's file. @throws FivecropError where the package lacks it. */
export const readBackbone = ({ file }: Backbone): Promise<Uint8Array> =>
  readInput(at(file), `cannot read ${at(file)}, which the package ships`, "install fivecrop anew");

/** The path of a model that the package ships, by its name, with or without `.onnx`; undefined where it ships none of this name. */
export function shippedFile(name: string): string | undefined {
  const bare = name.replace(/\.onnx$/i, "");
  return isShipped(bare) ? PRETRAINED[bare] : undefined;
}
