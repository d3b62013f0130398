import { type WindowAttributes, windowOf } from "../../models/ops/conv.ts";
import { imagesFrom } from "./tfjs-images.ts";
import type { Kernel, Site, Tf, TfTensor } from "./tfjs-kernel.ts";
import { type ImageWindow, imageWindowOf, padding, reachOf } from "./tfjs-window.ts";

type Image = Parameters<Tf["conv2d"]>[0];
type Filters = Parameters<Tf["conv2d"]>[1];

/** Filters [H, W, …] with zeros between their taps: tensorflow has no gradient of a dilated convolution. */
function dilated(tf: Tf, { dilations, kernel }: ImageWindow): (w: TfTensor) => TfTensor {
  if (dilations.every((d) => d === 1)) return (w) => w;
  const spread = (w: TfTensor, axis: 0 | 1): TfTensor => {
    const [taps, d] = [kernel[axis], dilations[axis]];
    if (d === 1 || taps === 1) return w;
    const [before, behind] = [w.shape.slice(0, axis), w.shape.slice(axis + 1)];
    const lead = before.reduce((a, b) => a * b, 1);
    const rows = tf.pad(tf.reshape(w, [lead * taps, 1, -1]), [
      [0, 0],
      [0, d - 1],
      [0, 0],
    ]); // prettier-ignore
    const whole = tf.reshape(rows, [lead, taps * d, -1]);
    return tf.reshape(tf.slice(whole, [0, 0, 0], [lead, (taps - 1) * d + 1, -1]), [...before, (taps - 1) * d + 1, ...behind]);
  };
  return (w) => spread(spread(w, 0), 1);
}

/** One group's convolution for each part of the channels. */
const inGroups = (tf: Tf, group: number, one: (x: TfTensor, w: TfTensor) => TfTensor, axisOfFilters: 2 | 3) =>
  group === 1
    ? one
    : (x: TfTensor, w: TfTensor): TfTensor => {
        const filters = tf.split(w, group, axisOfFilters);
        return tf.concat(
          tf.split(x, group, 3).map((part, i) => one(part, filters[i])),
          3,
        );
      };

const withBias = (tf: Tf, y: TfTensor, bias: TfTensor | undefined): TfTensor => (bias ? tf.add(y, bias) : y);

/** Each channel has filters of its own: tensorflow has a kernel for that, with one stride for both axes. */
const isDepthwise = ({ shape }: Site, group: number, { strides }: ImageWindow): boolean =>
  group > 1 && shape(1)[1] === 1 && strides[0] === strides[1];

export const convolution: Kernel = imagesFrom(
  (site) => {
    const { tf, node, shape } = site;
    const window = imageWindowOf(site);
    const group = node.attributes.group as number;
    const spread = dilated(tf, window);
    const { pad, image } = padding(tf, window);
    const strides: [number, number] = [...window.strides];
    if (isDepthwise(site, group, window)) {
      const [filters] = shape(1);
      const [height, width] = reachOf(window);
      return ([x, w, bias]) => {
        const own = tf.reshape(spread(w), [height, width, group, filters / group]);
        return withBias(tf, tf.depthwiseConv2d(image(x) as Image, own as Filters, strides, pad), bias);
      };
    }
    const convolve = inGroups(tf, group, (x, w) => tf.conv2d(x as Image, w as Filters, strides, pad), 3);
    return ([x, w, bias]) => withBias(tf, convolve(image(x), spread(w)), bias);
  },
  { filters: true },
);

/** The adjoint of a convolution without padding, cut to what lies inside of it. */
export const transposedConvolution: Kernel = imagesFrom(
  (site) => {
    const { tf, node, shape, output } = site;
    const forward = imageWindowOf(site);
    const group = node.attributes.group as number;
    const strides: [number, number] = [...forward.strides];
    const reach = reachOf(forward);
    const { pads, kernel } = windowOf(node.attributes as unknown as WindowAttributes);
    const begin = [0, 1].map((axis) => (axis < kernel.length ? pads[axis] : 0));
    const input = [0, 1].map((axis) => shape(0)[axis + 2] ?? 1);
    const kept = [0, 1].map((axis) => output[axis + 2] ?? 1);
    const whole = [0, 1].map((axis) => Math.max((input[axis] - 1) * strides[axis] + reach[axis], begin[axis] + kept[axis]));
    const channels = output[1] / group;
    const spread = dilated(tf, forward);
    const one = (x: TfTensor, w: TfTensor): TfTensor =>
      tf.conv2dTranspose(
        x as Image,
        w as Filters,
        [x.shape[0], whole[0], whole[1], channels] as [number, number, number, number],
        strides,
        "valid",
      );
    const convolve = inGroups(tf, group, one, 3);
    return ([x, w, bias]) => {
      const y = convolve(x, spread(w));
      return withBias(tf, tf.slice(y, [0, begin[0], begin[1], 0], [-1, kept[0], kept[1], -1]), bias);
    };
  },
  { filters: true },
);
