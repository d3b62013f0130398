import { ShapeError } from "../../core/errors.ts";
import { numbersOf } from "../../core/tensor.ts";
import { type Dimension, isOfBatch, knownShape } from "../graph/graph.ts";
import { float, int, type OpDefinition, type Operand, text } from "../graph/op.ts";
import { constantInts, need } from "../graph/shape.ts";
import { reduceSum, reshape } from "./shared.ts";

/** Where output pixel i lies among the input's, by coordinate_transformation_mode. */
const POSITIONS: Readonly<Record<string, (i: number, scale: number, size: number) => number>> = {
  half_pixel: (i, scale) => (i + 0.5) / scale - 0.5,
  pytorch_half_pixel: (i, scale, size) => (size * scale > 1 ? (i + 0.5) / scale - 0.5 : 0),
  asymmetric: (i, scale) => i / scale,
  align_corners: (i, scale, size) => (size * scale > 1 ? (i * (size - 1)) / (size * scale - 1) : 0),
  tf_half_pixel_for_nn: (i, scale) => (i + 0.5) / scale,
};

const ROUNDINGS: Readonly<Record<string, (position: number) => number>> = {
  round_prefer_floor: (position) => Math.ceil(position - 0.5),
  round_prefer_ceil: (position) => Math.floor(position + 0.5),
  floor: Math.floor,
  ceil: Math.ceil,
};

type ResizeAttributes = {
  coordinate_transformation_mode: string;
  cubic_coeff_a: number;
  exclude_outside: number;
  extrapolation_value: number;
  mode: string;
  nearest_mode: string;
};

/** How often each pixel is repeated along each axis. @throws ShapeError where that is not a whole number, or where other pixels are taken. */
export function repeatsOf(inputs: readonly (Operand | undefined)[], attributes: ResizeAttributes): number[] {
  const { shape } = need(inputs[0], "X");
  const { mode, coordinate_transformation_mode: coordinates, nearest_mode: rounding } = attributes;
  if (mode !== "nearest") throw new ShapeError(`mode '${mode}' is not supported, only 'nearest'`);
  const scales = inputs[2]?.shape[0] ? scalesOf(inputs[2]) : sizesAsScales(shape, inputs[3]);
  if (scales.length !== shape.length || scales.some((scale) => !Number.isInteger(scale) || scale < 1))
    throw new ShapeError(`scales: expected ${shape.length} whole numbers of at least 1, received [${scales}]`);
  const [position, round] = [POSITIONS[coordinates], ROUNDINGS[rounding]];
  if (!position || !round) throw new ShapeError(`'${coordinates}' with '${rounding}' is not supported`);
  shape.forEach((size, axis) => {
    const scale = scales[axis];
    if (scale === 1) return;
    if (isOfBatch(size)) throw new ShapeError("the batch axis cannot be resized");
    for (let i = 0; i < size * scale; i++)
      if (Math.min(Math.max(round(position(i, scale, size)), 0), size - 1) !== Math.floor(i / scale))
        throw new ShapeError(
          `'${coordinates}' with '${rounding}' does not repeat each pixel ${scale} times, which is the only kind supported`,
        );
  });
  return scales;
}

function scalesOf(operand: Operand): number[] {
  if (!operand.constant) throw new ShapeError("its input 'scales' must be a constant");
  return numbersOf(operand.constant);
}

const sizesAsScales = (shape: readonly Dimension[], sizes: Operand | undefined): number[] =>
  constantInts(sizes, "sizes").map((size, i) => size / Number(shape[i]));

export const Resize: OpDefinition<ResizeAttributes> = {
  summary: "Nearest neighbour by whole scales: each pixel is repeated so often along each axis.",
  sinceOpset: 13,
  attributes: {
    coordinate_transformation_mode: text("half_pixel"),
    cubic_coeff_a: float(-0.75),
    exclude_outside: int(0),
    extrapolation_value: float(0),
    mode: text("nearest"),
    nearest_mode: text("round_prefer_floor"),
  },
  infer(inputs, attributes) {
    const { dtype, shape } = need(inputs[0], "X");
    const repeats = repeatsOf(inputs, attributes);
    return [{ dtype, shape: shape.map((size, i) => (isOfBatch(size) ? size : size * repeats[i])) }];
  },
  /** Each pixel gets the sum over its repetitions. */
  gradient(g, { inputs: [x, , ...rest], attributes, gradients: [dy] }) {
    const shape = knownShape(x);
    const operands = rest.map((value) => value && { ...value, constant: g.constantOf(value) });
    const repeats = repeatsOf([x, undefined, ...operands], attributes);
    const split = shape.flatMap((size, i) => (repeats[i] === 1 ? [size] : [size, repeats[i]]));
    const axes = shape.flatMap((_, i) => (repeats[i] === 1 ? [] : [i + 1 + repeats.slice(0, i).filter((n) => n !== 1).length]));
    return [reduceSum(g, reshape(g, dy!, split), axes, false)];
  },
};
