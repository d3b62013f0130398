import { float32, int64, tensor } from "../core/tensor.ts";
import { endsOf } from "../pipeline/geometry.ts";
import type { PreprocessSpec } from "../pipeline/preprocess.ts";
import type { Filter } from "../pipeline/resize.ts";
import { resizeOf, type View } from "../pipeline/views.ts";
import { DATA_TYPES } from "./data-types.ts";
import type { OnnxWriter, WrittenAttribute } from "./onnx-writer.ts";

/** Pillow's kernels, as attributes of Resize from opset 19 (defaults: half_pixel positions). */
const FILTERS: { readonly [F in Exclude<Filter, "nearest">]: Readonly<Record<string, WrittenAttribute>> } = {
  bilinear: { mode: "linear", antialias: 1, exclude_outside: 1 },
  bicubic: { mode: "cubic", cubic_coeff_a: -0.5, antialias: 1, exclude_outside: 1 },
};

/** A picture of one size in the graph: uint8 [N, C, H, W], and its [H, W] as int64 [2]. */
interface Sized {
  readonly pixels: string;
  readonly side: string;
}

/**
 * Nodes that make all views of uint8 pictures [N, H, W, C] of any size, as planView, viewImages and normalizeInto do, resizing aside:
 * within one level of them. Views of one size share its Resize.
 * @returns the name of their pixels, uint8 [views · N, C, height, width]: all pictures' first view, then all pictures' second, …
 */
export function viewNodes(g: OnnxWriter, pictures: string, views: readonly View[], spec: PreprocessSpec): string {
  const pixels = g.node("Transpose", [pictures], { perm: [0, 3, 1, 2] });
  const side = g.node("Shape", [pixels], { start: 2, end: 4 });
  const resized = new Map<string, Sized>();
  const crops = views.map((view) => {
    const resize = resizeOf(view, spec);
    const key = String(resize);
    const at = resized.get(key) ?? padNodes(g, resizeNodes(g, { pixels, side }, resize, spec.filter), resize, spec.crop);
    resized.set(key, at);
    return cropNodes(g, at, view, spec.crop);
  });
  return crops.length === 1 ? crops[0] : g.node("Concat", crops, { axis: 0 });
}

/** Resize is given all four sizes: with `axes`, ONNX Runtime refuses sizes that are computed. */
function resizeNodes(g: OnnxWriter, { pixels, side }: Sized, resize: PreprocessSpec["resize"], filter: Filter): Sized {
  if (resize === null) return { pixels, side };
  const target = typeof resize === "number" ? shorterSideTo(g, side, resize) : g.constant(int64(resize));
  if (filter === "nearest") return { pixels: nearestNodes(g, { pixels, side }, target), side: target };
  const sizes = g.node("Concat", [g.node("Shape", [pixels], { start: 0, end: 2 }), target], { axis: 0 });
  return { pixels: g.node("Resize", [pixels, "", "", sizes], FILTERS[filter]), side: target };
}

/** The pixel under each new pixel's center, its position summed up step by step in float64 as Pillow does, roundings included. */
function nearestNodes(g: OnnxWriter, { pixels, side }: Sized, target: string): string {
  const one = g.constant(int64([1]));
  const half = g.constant(tensor("float64", [1], Float64Array.of(0.5)));
  return [0, 1].reduce((picture, i) => {
    const [from, to] = [side, target].map((sizes) => g.node("Gather", [sizes, g.constant(int64([i]))]));
    const step = g.node("Div", [g.node("Cast", [from], { to: DATA_TYPES.float64 }), g.node("Cast", [to], { to: DATA_TYPES.float64 })]);
    const steps = g.node("Concat", [g.node("Mul", [step, half]), g.node("Expand", [step, g.node("Sub", [to, one])])], { axis: 0 });
    const positions = g.node("CumSum", [steps, g.constant(int64([0], []))]);
    const indices = g.node("Min", [g.node("Cast", [positions], { to: DATA_TYPES.int64 }), g.node("Sub", [from, one])]);
    return g.node("Gather", [picture, indices], { axis: 2 + i });
  }, pixels);
}

/** [H, W] · size div min(H, W), as resizedSize has it. */
function shorterSideTo(g: OnnxWriter, side: string, shorter: number): string {
  const least = g.node("ReduceMin", [side, g.constant(int64([0]))], { keepdims: 1 });
  return g.node("Div", [g.node("Mul", [side, g.constant(int64([shorter]))]), least]);
}

/** Black around pictures that are smaller than the crop, the remainder at the far end. */
function padNodes(g: OnnxWriter, { pixels, side }: Sized, resize: PreprocessSpec["resize"], crop: readonly [number, number]): Sized {
  const least = typeof resize === "number" ? [resize, resize] : (resize ?? [1, 1]);
  if (least.every((pixelsAtLeast, axis) => pixelsAtLeast >= crop[axis])) return { pixels, side };
  const enough = g.node("Max", [side, g.constant(int64(crop))]);
  const missing = g.node("Sub", [enough, side]);
  const before = g.node("Div", [missing, g.constant(int64([2]))]);
  const pads = g.node("Concat", [before, g.node("Sub", [missing, before])], { axis: 0 });
  return { pixels: g.node("Pad", [pixels, pads, "", g.constant(int64([2, 3]))]), side: enough };
}

function cropNodes(g: OnnxWriter, { pixels, side }: Sized, { anchor, flip }: View, crop: readonly [number, number]): string {
  const { across, down } = endsOf(anchor);
  const size = g.constant(int64(crop));
  const margin = g.node("Sub", [side, size]);
  const start =
    across === "middle" ? half(g, margin) : g.node("Mul", [margin, g.constant(int64([down === "far" ? 1 : 0, across === "far" ? 1 : 0]))]);
  const cropped = g.node("Slice", [pixels, start, g.node("Add", [start, size]), g.constant(int64([2, 3]))]);
  if (!flip) return cropped;
  const [first, end, axis] = [-1, -(2 ** 31), 3].map((value) => g.constant(int64([value])));
  return g.node("Slice", [cropped, first, end, axis, first]);
}

/** Half of whole numbers from 0, a half to the even neighbour: (m + (m div 2) mod 2) div 2. */
function half(g: OnnxWriter, margin: string): string {
  const two = g.constant(int64([2]));
  const odd = g.node("Mod", [g.node("Div", [margin, two]), two]);
  return g.node("Div", [g.node("Add", [margin, odd]), two]);
}

/** x = (pixel / 255 − mean) / std, rounded as normalizeInto rounds. */
export function normalizeNodes(g: OnnxWriter, pixels: string, { mean, std }: PreprocessSpec, output: string): void {
  const perChannel = (values: readonly number[]) => g.constant(float32(values, [1, values.length, 1, 1]));
  const unit = g.node("Div", [g.node("Cast", [pixels], { to: DATA_TYPES.float32 }), g.constant(float32([255], []))]);
  g.node("Div", [g.node("Sub", [unit, perChannel(mean)]), perChannel(std)], {}, output);
}
