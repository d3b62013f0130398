import type { Random } from "../../core/random.ts";
import type { MixableBatch } from "./augmentation.ts";

/** Rows 0 … n − 1 in pairs drawn at random; of an odd number, one stays alone. */
export function pairs(n: number, random: Random): readonly (readonly [number, number])[] {
  const order = random.permutation(n);
  return Array.from({ length: Math.floor(n / 2) }, (_, i) => [order[2 * i], order[2 * i + 1]] as const);
}

/** Rows a and b of [N, width]: a becomes λ · a + (1 − λ) · b, and b becomes λ · b + (1 − λ) · a. */
export function mixRows(data: Float32Array, width: number, a: number, b: number, lambda: number): void {
  for (let i = a * width, j = b * width, end = i + width; i < end; i++, j++) {
    const x = data[i];
    const y = data[j];
    data[i] = lambda * x + (1 - lambda) * y;
    data[j] = lambda * y + (1 - lambda) * x;
  }
}

/** The targets of a pair of which each keeps the share λ; its label is that of the larger share. */
export function mixTargets({ targets, labels }: MixableBatch, a: number, b: number, lambda: number): void {
  mixRows(targets.data, targets.shape[1], a, b, lambda);
  if (lambda < 0.5) [labels[a], labels[b]] = [labels[b], labels[a]];
}
