import type { PreprocessSpec } from "./preprocess.ts";

/**
 * A preprocessing, of a data set or a preset, for a network that takes [C, H, W]: images are resized and made gray or colour where they differ. A shorter side is
 * resized in proportion to a square crop, so that pictures keep their shape.
 */
export function preprocessFor(spec: PreprocessSpec, [channels, height, width]: readonly [number, number, number]): PreprocessSpec {
  const sized =
    String(spec.crop) === String([height, width])
      ? spec
      : { ...spec, resize: resizeFor(spec, [height, width]), crop: [height, width] as const };
  if (spec.channels === channels) return sized;
  const wide = (list: readonly number[]) =>
    channels === 1 ? [list.reduce((a, b) => a + b) / list.length] : Array<number>(channels).fill(list[0]);
  return { ...sized, channels: channels as 1 | 3, mean: wide(spec.mean), std: wide(spec.std) };
}

const resizeFor = ({ resize, crop }: PreprocessSpec, [height, width]: readonly [number, number]): PreprocessSpec["resize"] =>
  typeof resize === "number" && crop[0] === crop[1] && height === width ? Math.round((resize * height) / crop[0]) : [height, width];
