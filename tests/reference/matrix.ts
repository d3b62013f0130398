import { sizeOf } from "../../core/tensor.ts";
import { array64, broadcastOffsets, broadcastShape, number, type ReferenceFunction, required } from "./array.ts";

/** Y = alpha · A' · B' + beta · C, with C broadcast in one direction to [rows, columns]. */
export const Gemm: ReferenceFunction = (inputs, attributes) => {
  const [a, b] = required(inputs, 2);
  const c = inputs[2];
  const alpha = number(attributes, "alpha", 1);
  const beta = number(attributes, "beta", 1);
  const transA = number(attributes, "transA", 0) !== 0;
  const transB = number(attributes, "transB", 0) !== 0;
  const [rows, inner] = transA ? [a.shape[1], a.shape[0]] : a.shape;
  const columns = b.shape[transB ? 0 : 1];
  const y = array64([rows, columns]);
  const fromC = c && broadcastOffsets(c.shape, y.shape);
  for (let row = 0; row < rows; row++)
    for (let column = 0; column < columns; column++) {
      let sum = 0;
      for (let i = 0; i < inner; i++)
        sum += a.data[transA ? i * rows + row : row * inner + i] * b.data[transB ? column * inner + i : i * columns + column];
      const at = row * columns + column;
      y.data[at] = alpha * sum + (c && fromC ? beta * c.data[fromC[at]] : 0);
    }
  return [y];
};

/** A stack of matrix products, as numpy.matmul: the axes before the last two broadcast. */
export const MatMul: ReferenceFunction = (inputs) => {
  const [a, b] = required(inputs, 2);
  const stackA = a.shape.slice(0, -2);
  const stackB = b.shape.slice(0, -2);
  const [rows, inner] = a.shape.slice(-2);
  const columns = b.shape[b.shape.length - 1];
  const stack = broadcastShape(stackA, stackB);
  const fromA = broadcastOffsets(stackA, stack);
  const fromB = broadcastOffsets(stackB, stack);
  const y = array64([...stack, rows, columns]);
  for (let s = 0; s < sizeOf(stack); s++)
    for (let row = 0; row < rows; row++)
      for (let column = 0; column < columns; column++) {
        let sum = 0;
        for (let i = 0; i < inner; i++)
          sum += a.data[(fromA[s] * rows + row) * inner + i] * b.data[(fromB[s] * inner + i) * columns + column];
        y.data[(s * rows + row) * columns + column] = sum;
      }
  return [y];
};
