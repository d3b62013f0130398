import type { Tensor } from "../../core/tensor.ts";
import { type Layout, ORDER, type Tf, type TfTensor } from "./tfjs-kernel.ts";

/** Four axes, those that are missing in front as 1: how a smaller value takes part in broadcasting with images. */
const padded = (shape: readonly number[]): readonly number[] => [...Array<number>(Math.max(0, 4 - shape.length)).fill(1), ...shape];

/** The order of axes that leads from one layout to another. */
const between = (from: Layout, to: Layout): number[] => ORDER[to].map((axis) => (ORDER[from] as readonly number[]).indexOf(axis));

/** The same numbers in another layout; where only axes of length 1 move, without copying. */
export function relay(tf: Tf, t: TfTensor, from: Layout, to: Layout): TfTensor {
  if (from === to || t.rank === 0) return t;
  const shape = padded(t.shape);
  const order = between(from, to);
  const whole = t.rank === 4 ? t : tf.reshape(t, [...shape]);
  const long = order.filter((axis) => shape[axis] !== 1);
  const stays = long.every((axis, i) => i === 0 || axis > long[i - 1]);
  return stays
    ? tf.reshape(
        whole,
        order.map((axis) => shape[axis]),
      )
    : tf.transpose(whole, order);
}

/** A tensor of ours as one of tensorflow's; whole numbers become int32. */
export function upload(tf: Tf, { dtype, shape, data }: Tensor): TfTensor {
  if (dtype === "int64") return tf.tensor(Int32Array.from(data as BigInt64Array, Number), [...shape], "int32");
  if (dtype === "float64") return tf.tensor(Float32Array.from(data as Float64Array), [...shape], "float32");
  return tf.tensor(data as Float32Array, [...shape], dtype === "uint8" ? "int32" : dtype);
}
