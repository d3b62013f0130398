// How a camera was held: EXIF's orientation, 1 (upright) to 8.
import { createImage, type Image } from "./image.ts";

const ORIENTATION_TAG = 0x112;
const UPRIGHT = 1;

/**
 * The orientation in an EXIF block, a TIFF header and its first directory; 1 where it says none.
 * @see CIPA DC-008 (EXIF 2.32), 4.6.4, tag Orientation
 */
export function orientationOf(exif: Uint8Array): number {
  const view = new DataView(exif.buffer, exif.byteOffset, exif.byteLength);
  if (exif.length < 8) return UPRIGHT;
  const little = view.getUint16(0) === 0x4949;
  const directory = view.getUint32(4, little);
  if (directory + 2 > exif.length) return UPRIGHT;
  const count = view.getUint16(directory, little);
  for (let at = directory + 2, i = 0; i < count && at + 12 <= exif.length; i++, at += 12)
    if (view.getUint16(at, little) === ORIENTATION_TAG) {
      const value = view.getUint16(at + 8, little);
      return value >= 1 && value <= 8 ? value : UPRIGHT;
    }
  return UPRIGHT;
}

/** For each orientation from 1: the stored pixel that is the upright picture's first, and how far on it is one to the right and one down. W and H as stored. */
const WALKS: readonly ((W: number, H: number) => readonly [first: number, right: number, down: number])[] = [
  (W) => [0, 1, W],
  (W) => [W - 1, -1, W],
  (W, H) => [W * H - 1, -1, -W],
  (W, H) => [W * (H - 1), 1, -W],
  (W) => [0, W, 1],
  (W, H) => [W * (H - 1), -W, 1],
  (W, H) => [W * H - 1, -W, -1],
  (W) => [W - 1, W, -1],
];

/** A stored picture, turned and mirrored as its orientation asks. */
export function upright(image: Image, orientation: number): Image {
  if (orientation === UPRIGHT) return image;
  const { width, height, channels, data } = image;
  const [first, right, down] = WALKS[orientation - 1](width, height);
  const result = orientation < 5 ? createImage(width, height, channels) : createImage(height, width, channels);
  for (let y = 0, o = 0; y < result.height; y++)
    for (let x = 0, from = first + y * down; x < result.width; x++, from += right)
      for (let c = 0; c < channels; c++) result.data[o++] = data[from * channels + c];
  return result;
}
