import { float32, int64, numbersOf, type Tensor, tensor } from "../../core/tensor.ts";
import type { Kernel, Site } from "./tfjs-kernel.ts";
import { upload } from "./tfjs-layout.ts";

/** What is known before the first step. */
const known = (of: (site: Site) => Tensor): Kernel => ({
  make: (site) => {
    const constant = of(site);
    return () => upload(site.tf, constant);
  },
});

/** Numbers of the output's type: whole numbers are int32 in tensorflow. */
function typed({ node, output }: Site, numbers: readonly number[]): Tensor {
  const { dtype } = node.outputs[0];
  if (dtype === "bool") return tensor("bool", output, Uint8Array.from(numbers));
  return dtype.startsWith("float") ? float32(numbers, output) : int64(numbers, output);
}

export const shape = known((site) => {
  const { start, end } = site.node.attributes as { start: number; end: number | undefined };
  return typed(site, site.shape(0).slice(start, end));
});

export const constantOfShape = known((site) => {
  const { node, output } = site;
  const value = node.attributes.value as Tensor | undefined;
  const [number] = value ? numbersOf(value) : [0];
  return typed(site, Array<number>(output.reduce((a, b) => a * b, 1)).fill(number));
});

export const range = known((site) => {
  const { numbers, output } = site;
  const [[start], [delta]] = [numbers(0)!, numbers(2)!];
  return typed(
    site,
    Array.from({ length: output[0] }, (_, i) => start + i * delta),
  );
});
