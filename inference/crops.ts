import { rows, type Tensor, tensor } from "../core/tensor.ts";
import type { Image } from "../pipeline/image.ts";
import { normalizeInto, type PreprocessSpec } from "../pipeline/preprocess.ts";
import { type View, viewImages } from "../pipeline/views.ts";

/** The views of one picture, one after the other: float32 [views, C, H, W], in memory of their own. */
export type Crops = Float32Array<ArrayBuffer>;

/** Numbers in one crop. */
export const cropSize = ({ channels, crop: [height, width] }: PreprocessSpec): number => channels * height * width;

/** Memory for the views of a picture. */
const roomFor = (views: readonly View[], spec: PreprocessSpec): Crops => new Float32Array(views.length * cropSize(spec));

/** The same for several pictures, in one piece: a piece for each costs as much as normalizing a small picture. */
export function roomsFor(pictures: number, views: readonly View[], spec: PreprocessSpec): Crops[] {
  const size = views.length * cropSize(spec);
  const all = new Float32Array(pictures * size);
  return Array.from({ length: pictures }, (_, i) => all.subarray(i * size, (i + 1) * size));
}

/** The views of a picture, as a network takes them. @param crops where to */
export function cropsOf(image: Image, views: readonly View[], spec: PreprocessSpec, crops = roomFor(views, spec)): Crops {
  const size = cropSize(spec);
  viewImages(image, views, spec).forEach((view, k) => {
    normalizeInto(view, spec, crops, k * size);
  });
  return crops;
}

/** Whether each begins where the one before it ends: a batch already. */
const adjoin = (pictures: readonly Crops[]): boolean =>
  pictures.every(({ buffer, byteOffset }, i) => {
    const before = pictures[i - 1];
    return !before || (buffer === before.buffer && byteOffset === before.byteOffset + before.byteLength);
  });

/** Pictures' crops as one batch, float32 [n, C, H, W]; copied where they do not lie one after the other. */
export function batchOf(pictures: readonly Crops[], spec: PreprocessSpec): Tensor<"float32"> {
  const length = pictures.reduce((sum, crops) => sum + crops.length, 0);
  const shape = [length / cropSize(spec), spec.channels, ...spec.crop];
  const [first] = pictures;
  if (adjoin(pictures)) return tensor("float32", shape, new Float32Array(first.buffer, first.byteOffset, length));
  const data = new Float32Array(length);
  let end = 0;
  for (const crops of pictures) {
    data.set(crops, end);
    end += crops.length;
  }
  return tensor("float32", shape, data);
}

/** The largest batch by default, in numbers: 8 crops of 3 × 224 × 224. More are a twentieth slower there (one picture's five crops go without a copy), and take memory. */
const BATCH_NUMBERS = 8 * 3 * 224 * 224;

/** How many crops go through a network at once where nobody says: 64, or fewer where they are large. */
export const defaultBatchSize = (spec: PreprocessSpec): number => Math.max(1, Math.min(64, Math.floor(BATCH_NUMBERS / cropSize(spec))));

/** Runs a model of one batch size, part by part; the last part is filled up with zeros. */
export async function inParts<T>(crops: Tensor<"float32">, batch: number, run: (part: Tensor<"float32">) => Promise<T[]>): Promise<T[]> {
  const results: T[] = [];
  const [count, ...image] = crops.shape;
  for (let from = 0; from < count; from += batch) {
    const part = rows(crops, from, Math.min(count, from + batch));
    const data = new Float32Array(batch * (crops.data.length / count));
    data.set(part.data);
    results.push(...(await run(tensor("float32", [batch, ...image], data))).slice(0, part.shape[0]));
  }
  return results;
}

/** What a function makes of each, in order, so many at a time. */
export async function mapLimited<T, R>(items: readonly T[], limit: number, map: (item: T, i: number) => R | Promise<R>): Promise<R[]> {
  const results: R[] = [];
  let next = 0;
  const work = async (): Promise<void> => {
    while (next < items.length) {
      const i = next++;
      const result = map(items[i], i);
      results[i] = result instanceof Promise ? await result : result;
    }
  };
  await Promise.all(Array.from({ length: Math.min(limit, items.length) }, work));
  return results;
}
