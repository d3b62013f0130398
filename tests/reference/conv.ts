import { sizeOf } from "../../core/tensor.ts";
import type { Attributes } from "../../models/graph/graph.ts";
import { type Array64, array64, number, numbers, type ReferenceFunction, required } from "./array.ts";
import { countWindows, tapTable, windowOf } from "./windows.ts";

/**
 * A convolution is a sum of products: calls `product` with the flat indices of every x · w → y,
 * for x [N, C, …], w [K, C / group, …], y [N, K, …]; group i of the filters sees group i of the channels.
 */
function eachProduct(
  x: readonly number[],
  w: readonly number[],
  y: readonly number[],
  attributes: Attributes,
  product: (x: number, w: number, y: number) => void,
): void {
  const table = tapTable(x.slice(2), y.slice(2), windowOf(attributes, w.slice(2)));
  const [pixels, taps, windows] = [x, w, y].map((shape) => sizeOf(shape.slice(2)));
  const [filters, groupChannels] = w;
  const groupFilters = filters / number(attributes, "group", 1);
  for (let n = 0; n < x[0]; n++)
    for (let k = 0; k < filters; k++)
      for (let c = 0; c < groupChannels; c++) {
        const plane = n * x[1] + Math.floor(k / groupFilters) * groupChannels + c;
        for (let window = 0; window < windows; window++)
          for (let tap = 0; tap < taps; tap++) {
            const pixel = table[window * taps + tap];
            if (pixel >= 0) product(plane * pixels + pixel, (k * groupChannels + c) * taps + tap, (n * filters + k) * windows + window);
          }
      }
}

/** Adds b[k] to every pixel of channel k. */
function addBias(y: Array64, b: Array64 | undefined): void {
  const pixels = sizeOf(y.shape.slice(2));
  if (b) for (let i = 0; i < y.data.length; i++) y.data[i] += b.data[Math.floor(i / pixels) % y.shape[1]];
}

export const Conv: ReferenceFunction = (inputs, attributes) => {
  const [x, w] = required(inputs, 2);
  const counts = countWindows(x.shape.slice(2), windowOf(attributes, w.shape.slice(2)), false);
  const y = array64([x.shape[0], w.shape[0], ...counts]);
  eachProduct(x.shape, w.shape, y.shape, attributes, (i, j, k) => {
    y.data[k] += x.data[i] * w.data[j];
  });
  addBias(y, inputs[2]);
  return [y];
};

export const ConvInputGradient: ReferenceFunction = (inputs, attributes) => {
  const [dy, w] = required(inputs, 2);
  const dx = array64(numbers(attributes, "input_shape", []));
  eachProduct(dx.shape, w.shape, dy.shape, attributes, (i, j, k) => {
    dx.data[i] += dy.data[k] * w.data[j];
  });
  return [dx];
};

export const ConvWeightGradient: ReferenceFunction = (inputs, attributes) => {
  const [x, dy] = required(inputs, 2);
  const dw = array64(numbers(attributes, "weight_shape", []));
  eachProduct(x.shape, dw.shape, dy.shape, attributes, (i, j, k) => {
    dw.data[j] += dy.data[k] * x.data[i];
  });
  return [dw];
};

/** Each pixel of x [N, K, …] adds its window, scaled by w [K, C / group, …], to y [N, C, …]: the products of a convolution, read backwards. */
export const ConvTranspose: ReferenceFunction = (inputs, attributes) => {
  const [x, w] = required(inputs, 2);
  const axes = w.shape.length - 2;
  const { kernel, strides, pads, dilations } = windowOf(attributes, w.shape.slice(2));
  const extra = numbers(
    attributes,
    "output_padding",
    kernel.map(() => 0),
  );
  const size = kernel.map((k, i) => strides[i] * (x.shape[i + 2] - 1) + extra[i] + ((k - 1) * dilations[i] + 1) - pads[i] - pads[i + axes]);
  const y = array64([x.shape[0], w.shape[1] * number(attributes, "group", 1), ...size]);
  eachProduct(y.shape, w.shape, x.shape, attributes, (i, j, k) => {
    y.data[i] += x.data[k] * w.data[j];
  });
  addBias(y, inputs[2]);
  return [y];
};
