import { UsageError } from "../core/errors.ts";
import { lookUp } from "../core/nearest.ts";
import { ANCHORS, type Anchor, boundsOf, placeCrop, type Rectangle, resizedSize, type Size } from "./geometry.ts";
import { crop, flipHorizontal, type Image, withChannels } from "./image.ts";
import type { PreprocessSpec } from "./preprocess.ts";
import { type Filter, resizeRegion } from "./resize.ts";

/** One way to look at an image, as plain JSON: resize, crop at an anchor, mirror. */
export interface View {
  readonly anchor: Anchor;
  readonly flip: boolean;
  /**
   * The shorter side in pixels before the crop; left out, the spec's own resize. "roomy" leaves room for crops that differ:
   * the spec's resize where that is a number larger than the crop's larger side, else round(8/7 · that side).
   */
  readonly resize?: number | "roomy";
}

const whole: View = { anchor: "center", flip: false };
const fiveCrop = ANCHORS.map((anchor): View => ({ anchor, flip: false, resize: "roomy" }));
const mirrored = (views: readonly View[]): View[] => views.map((view) => ({ ...view, flip: !view.flip }));

/** The named ways to look at one image; a classifier averages its probabilities over them. */
export const VIEWS = {
  none: [whole],
  flip: [whole, ...mirrored([whole])],
  "five-crop": fiveCrop,
  "ten-crop": [...fiveCrop, ...mirrored(fiveCrop)],
} satisfies Record<string, readonly View[]>;

/** Of a view's resize, in pixels. */
const LARGEST_RESIZE = 99_999;

const FIELDS: Readonly<Record<keyof View, readonly [expected: string, test: (value: unknown) => boolean]>> = {
  anchor: [`one of ${ANCHORS.join(", ")}`, (value) => ANCHORS.some((anchor) => anchor === value)],
  flip: ["true or false", (value) => typeof value === "boolean"],
  resize: [
    `a whole number of pixels from 1 to ${LARGEST_RESIZE}, "roomy", or nothing`,
    (value) =>
      value === undefined ||
      value === "roomy" ||
      (Number.isInteger(value) && (value as number) >= 1 && (value as number) <= LARGEST_RESIZE),
  ],
};

const shown = (value: unknown): string =>
  typeof value === "string" ? `'${value}'` : typeof value === "object" ? JSON.stringify(value) : String(value);

/**
 * Views that a script or a file gave one by one, checked.
 * @throws UsageError that names the view's index and its field, what was expected and what was found.
 */
export function validateViews(value: unknown): readonly View[] {
  if (!Array.isArray(value)) throw new UsageError(`views: expected a name or a list of views, received ${shown(value)}`);
  if (value.length === 0) throw new UsageError("views: expected at least one view, received none");
  for (const [i, view] of value.entries()) {
    if (typeof view !== "object" || view === null || Array.isArray(view))
      throw new UsageError(`views[${i}]: expected an object with the fields ${Object.keys(FIELDS).join(", ")}, received ${shown(view)}`);
    for (const name of Object.keys(view)) lookUp(`field of views[${i}]`, FIELDS, name);
    for (const [name, [expected, test]] of Object.entries(FIELDS))
      if (!test(view[name])) throw new UsageError(`views[${i}].${name}: expected ${expected}, received ${shown(view[name])}`);
  }
  return value;
}

/** A text that is the same for views that look alike. */
export const keyOfView = ({ anchor, flip, resize }: View): string => JSON.stringify([anchor, flip, resize ?? null]);

/** Whether two lists are the same views in the same order. */
export const sameViews = (a: readonly View[], b: readonly View[]): boolean => String(a.map(keyOfView)) === String(b.map(keyOfView));

const MULTI_SCALE = "multi-scale:";

/**
 * A row of VIEWS, or `multi-scale:256,288,320`: center crops, the shorter side resized to each of these.
 * @throws UsageError
 */
export function parseViews(name: string): readonly View[] {
  if (!name.startsWith(MULTI_SCALE)) return lookUp("views", { ...VIEWS, [`${MULTI_SCALE}SIZE,SIZE`]: [] }, name);
  const sizes = name.slice(MULTI_SCALE.length).split(",");
  if (!sizes.every((size) => /^[1-9]\d{0,4}$/.test(size)) || new Set(sizes).size < sizes.length)
    throw new UsageError(`views '${name}': expected different sizes of the shorter side in pixels, such as multi-scale:256,288,320`);
  return sizes.map((size) => ({ ...whole, resize: Number(size) }));
}

/**
 * Several rows, a comma between them: `none,five-crop,multi-scale:256,288` are three. No row's name begins with a digit, so a number behind a
 * comma belongs to the row before it.
 * @returns the rows' names, each one that parseViews understands
 * @throws UsageError
 */
export function splitViews(list: string): readonly string[] {
  const names = list.split(/,(?!\d)/);
  for (const name of names) parseViews(name);
  return names;
}

/** A name for people and files, different for each view of a row: `center`, `upper-left-flip`, `center-288`. */
export const nameOfView = ({ anchor, flip, resize }: View): string =>
  `${anchor}${typeof resize === "number" ? `-${resize}` : ""}${flip ? "-flip" : ""}`;

/** What `resize` a view stands for, in the sense of a spec's. */
export function resizeOf(view: View, spec: PreprocessSpec): PreprocessSpec["resize"] {
  if (view.resize !== "roomy") return view.resize ?? spec.resize;
  const side = Math.max(...spec.crop);
  return typeof spec.resize === "number" && spec.resize > side ? spec.resize : Math.round((side * 8) / 7);
}

/** The size to which a view resizes a picture, and its crop there, in whole pixels; the crop leaves the picture where that is smaller. */
export interface ViewPlan {
  readonly size: Size;
  readonly crop: Rectangle;
}

/** A view of a picture of this size, worked out. */
export function planView(picture: Size, view: View, spec: PreprocessSpec): ViewPlan {
  const size = resizedSize(picture, resizeOf(view, spec));
  return { size, crop: placeCrop(size, spec.crop, view.anchor) };
}

/** Where a view looks: its crop on the picture as it is, in the picture's own pixels and their fractions. */
export function viewRectangle(width: number, height: number, view: View, spec: PreprocessSpec): Rectangle {
  const { size, crop } = planView({ width, height }, view, spec);
  const across = width / size.width;
  const down = height / size.height;
  return { x: crop.x * across, y: crop.y * down, width: crop.width * across, height: crop.height * down };
}

const area = ({ width, height }: Size): number => width * height;

/** Crops of the picture resized to one size: resized once around all of them, or, where they lie far apart in a long picture, for each alone. */
function cropsOf(image: Image, size: Size, filter: Filter, crops: readonly Rectangle[]): Image[] {
  const bounds = boundsOf(crops);
  if (area(bounds) > 4 * crops.reduce((sum, at) => sum + area(at), 0)) return crops.map((at) => resizeRegion(image, size, filter, at));
  const resized = resizeRegion(image, size, filter, bounds);
  return crops.map((at) => crop(resized, { ...at, x: at.x - bounds.x, y: at.y - bounds.y }));
}

/** What each view sees, images of the spec's crop size and channels. Views of one size share its resizing. */
export function viewImages(image: Image, views: readonly View[], spec: PreprocessSpec): Image[] {
  const source = withChannels(image, spec.channels);
  const plans = views.map((view) => planView(image, view, spec));
  const turned = (view: View, seen: Image): Image => (view.flip ? flipHorizontal(seen) : seen);
  if (views.length === 1) return [turned(views[0], resizeRegion(source, plans[0].size, spec.filter, plans[0].crop))];
  const images: Image[] = [];
  const groups = new Set(plans.map(({ size }) => `${size.width}×${size.height}`));
  for (const group of groups) {
    const members = [...plans.keys()].filter((i) => `${plans[i].size.width}×${plans[i].size.height}` === group);
    const crops = members.map((i) => plans[i].crop);
    const seen = cropsOf(source, plans[members[0]].size, spec.filter, crops);
    for (const [k, i] of members.entries()) images[i] = turned(views[i], seen[k]);
  }
  return images;
}

/** What one view sees. */
export const viewImage = (image: Image, view: View, spec: PreprocessSpec): Image => viewImages(image, [view], spec)[0];
