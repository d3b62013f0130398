import { sizeOf } from "../../core/tensor.ts";
import { type Array64, frontAxis, like, number, type ReferenceFunction, required } from "./array.ts";

/** (x − mean) / √(variance + epsilon) within each run of `size` neighbours. */
function normalized(x: Array64, size: number, epsilon: number): Array64 {
  const mean = (at: number, f: (i: number) => number) => {
    const first = Math.floor(at / size) * size;
    let sum = 0;
    for (let i = first; i < first + size; i++) sum += f(i);
    return sum / size;
  };
  return like(x, (i) => {
    const center = mean(i, (j) => x.data[j]);
    return (x.data[i] - center) / Math.sqrt(mean(i, (j) => (x.data[j] - center) ** 2) + epsilon);
  });
}

/** Over the axes from `axis` on; scale and bias have their shape. */
export const LayerNormalization: ReferenceFunction = (inputs, attributes) => {
  const [x, scale] = required(inputs, 2);
  const size = sizeOf(x.shape.slice(frontAxis(number(attributes, "axis", -1), x.shape.length)));
  const y = normalized(x, size, number(attributes, "epsilon", 1e-5));
  return [like(y, (i) => y.data[i] * scale.data[i % size] + (inputs[2]?.data[i % size] ?? 0))];
};

/** Over the pixels of each image's channel. */
export const InstanceNormalization: ReferenceFunction = (inputs, attributes) => {
  const [x, scale, bias] = required(inputs, 3);
  const pixels = sizeOf(x.shape.slice(2));
  const y = normalized(x, pixels, number(attributes, "epsilon", 1e-5));
  const channel = (i: number) => Math.floor(i / pixels) % x.shape[1];
  return [like(y, (i) => y.data[i] * scale.data[channel(i)] + bias.data[channel(i)])];
};

/** x / (bias + alpha / size · Σ x²) ^ beta, over channels from c − floor((size − 1) / 2) to c + ceil((size − 1) / 2). */
export const LRN: ReferenceFunction = (inputs, attributes) => {
  const [x] = required(inputs, 1);
  const size = number(attributes, "size", 1);
  const pixels = sizeOf(x.shape.slice(2));
  const channels = x.shape[1];
  return [
    like(x, (i) => {
      const c = Math.floor(i / pixels) % channels;
      let sum = 0;
      for (let other = c - Math.floor((size - 1) / 2); other <= c + Math.ceil((size - 1) / 2); other++)
        if (other >= 0 && other < channels) sum += x.data[i + (other - c) * pixels] ** 2;
      const base = number(attributes, "bias", 1) + (number(attributes, "alpha", 1e-4) / size) * sum;
      return x.data[i] / base ** number(attributes, "beta", 0.75);
    }),
  ];
};
