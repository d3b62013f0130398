import type { Node } from "../../models/graph/graph.ts";
import type { Kernel, Layout, Placement, Run, Site } from "./tfjs-kernel.ts";
import { relay } from "./tfjs-layout.ts";

/** Input 0 and the output are images, channels last; the second input may be filters. */
const placed = (node: Node, second: Layout): Placement => {
  const whole = node.inputs[0]?.shape.length === 4;
  return {
    inputs: node.inputs.map((_, i) => (whole && i === 0 ? "channels last" : whole && i === 1 ? second : "standard")),
    output: whole ? "channels last" : "standard",
  };
};

/** Four axes: [N, C] and [N, C, L] as images one pixel wide; of more spatial axes the last ones in one where `merge` says so. */
function fourAxes(shape: readonly number[], merge: boolean): number[] | undefined {
  const [N, C, H = 1, ...rest] = shape;
  if (rest.length > 1 && !merge) return undefined;
  return [N, C, H, rest.reduce((a, b) => a * b, 1)];
}

/**
 * A kernel of images, channels last. What has fewer axes is an image one pixel wide; its kernel sees windows with a 1 for that axis.
 * @param make a run that takes [N, H, W, C], and a second input as filters [H, W, in, out] where `filters` says so
 */
export const imagesFrom = (
  make: (site: Site) => Run,
  { filters = false, merge = false }: { readonly filters?: boolean; readonly merge?: boolean } = {},
): Kernel => ({
  place: (node) => placed(node, filters ? "filters" : "standard"),
  make(site) {
    const { tf, output } = site;
    const run = make(site);
    const shape = site.shape(0);
    if (shape.length === 4) return run;
    const whole = fourAxes(shape, merge);
    if (!whole) return site.refuse(`it has ${shape.length - 2} spatial axes, and only one or two are supported`);
    return (inputs, step) => {
      const [x, second, ...others] = inputs;
      const image = relay(tf, tf.reshape(x, whole), "standard", "channels last");
      const weight = filters && second ? relay(tf, tf.reshape(second, [...second.shape, 1]), "standard", "filters") : second;
      const y = run([image, weight, ...others], step) as typeof x;
      return tf.reshape(relay(tf, y, "channels last", "standard"), [...output]);
    };
  },
});
