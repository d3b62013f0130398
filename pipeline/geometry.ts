import { PictureError } from "../core/errors.ts";

/** In pixels. */
export interface Size {
  readonly width: number;
  readonly height: number;
}

/** In pixels; x grows to the right and y downwards from the upper left corner, and both may be negative. */
export interface Rectangle extends Size {
  readonly x: number;
  readonly y: number;
}

/** Where a crop lies in the picture. */
export type Anchor = "center" | "upper-left" | "lower-left" | "lower-right" | "upper-right";

const LONGEST_SIDE = 2 ** 27;

/** Rounds as Python does: a half goes to the even neighbour. */
export function roundHalfToEven(value: number): number {
  const floor = Math.floor(value);
  if (value - floor !== 0.5) return Math.round(value);
  return floor % 2 === 0 ? floor : floor + 1;
}

/**
 * The size after resizing: a number is the shorter side, the longer one in proportion and truncated; a pair is [height, width]; null changes nothing.
 * @see torchvision.transforms.Resize
 * @throws PictureError where a very long and thin picture would become longer than 2^27 pixels.
 */
export function resizedSize({ width, height }: Size, resize: number | readonly [number, number] | null): Size {
  if (resize === null) return { width, height };
  if (typeof resize !== "number") return { width: resize[1], height: resize[0] };
  const longer = Math.trunc((resize * Math.max(width, height)) / Math.min(width, height));
  if (longer > LONGEST_SIDE)
    throw new PictureError(
      `a picture of ${width}×${height} pixels, its shorter side resized to ${resize}, would be ${longer} pixels long; expected at most ${LONGEST_SIDE}. To fix: crop it first.`,
    );
  return width <= height ? { width: resize, height: longer } : { width: longer, height: resize };
}

/** The start of a crop along one side, in pixels: negative where the crop is larger, the remainder then going to the far end. */
function offset(side: number, crop: number, end: End): number {
  if (crop > side) return 0 - Math.floor((crop - side) / 2);
  return { near: 0, middle: roundHalfToEven((side - crop) / 2), far: side - crop }[end];
}

type End = "near" | "middle" | "far";

/** To which end of each side an anchor goes: near is left and upper. */
export const endsOf = (anchor: Anchor): { readonly across: End; readonly down: End } => ({
  across: anchor === "center" ? "middle" : anchor.endsWith("left") ? "near" : "far",
  down: anchor === "center" ? "middle" : anchor.startsWith("upper") ? "near" : "far",
});

/**
 * The rectangle of a [height, width] crop in a picture of this size. A crop larger than the picture has it in the middle, whatever the anchor.
 * @see torchvision.transforms.functional.center_crop, five_crop
 */
export function placeCrop(size: Size, [height, width]: readonly [number, number], anchor: Anchor): Rectangle {
  const { across, down } = endsOf(anchor);
  return { x: offset(size.width, width, across), y: offset(size.height, height, down), width, height };
}

/** The smallest rectangle around all of these. */
export function boundsOf(rectangles: readonly Rectangle[]): Rectangle {
  const x = Math.min(...rectangles.map((r) => r.x));
  const y = Math.min(...rectangles.map((r) => r.y));
  const right = Math.max(...rectangles.map((r) => r.x + r.width));
  const bottom = Math.max(...rectangles.map((r) => r.y + r.height));
  return { x, y, width: right - x, height: bottom - y };
}
