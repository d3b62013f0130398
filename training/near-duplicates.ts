import { count, plural } from "../core/text.ts";

/** A picture that is measured on, and the one of another split that it looks most like. */
export interface NearDuplicate {
  readonly split: string;
  /** Its path from the pictures' common folder. */
  readonly file: string;
  readonly twinSplit: string;
  readonly twin: string;
  /** Their decoded pixels are equal; else they only look alike. */
  readonly samePixels: boolean;
  /** Their labels are; where not, one of them is wrong. */
  readonly sameClass: boolean;
  /** Bits of 64 in which their difference hashes differ. */
  readonly distance: number;
  /** Levels of 255 by which the pictures differ in the mean, shrunk to 9 × 8 cells. */
  readonly difference: number;
}

/** What was found across a run's splits, as its `run.json` keeps it. */
export interface NearDuplicates {
  /** The pictures' common folder. */
  readonly folder: string;
  /** How many pictures of each split were compared. */
  readonly compared: Readonly<Record<string, number>>;
  /** Pictures of the validation and test splits that look like one of another split. */
  readonly count: number;
  /** Those of them that have its very pixels. */
  readonly samePixels: number;
  /** The nearest, ten at most. */
  readonly pairs: readonly NearDuplicate[];
}

/** What is alike, in words. */
export function likenessOf({ samePixels, sameClass, distance }: NearDuplicate): string {
  const bits = samePixels
    ? "the same pixels"
    : distance === 0
      ? "the same hash"
      : `${plural(distance, "bit")} of 64 differ${distance === 1 ? "s" : ""}`;
  return sameClass ? bits : `${bits}, another class`;
}

/** How many there are, in a sentence: `3 pictures of validation and test look like one of another split (2 have its very pixels)`. */
export function nearDuplicatesText({ count: number, samePixels, compared }: NearDuplicates): string {
  const measuredOn = Object.keys(compared)
    .filter((split) => split !== "training")
    .join(" and ");
  const same = samePixels ? ` (${count(samePixels)} ${samePixels === 1 ? "has" : "have"} its very pixels)` : "";
  return `${plural(number, "picture")} of ${measuredOn} look${number === 1 ? "s" : ""} like one of another split${same}`;
}

/** The same with the first pairs, a line each, for a terminal. */
export function nearDuplicateLines(found: NearDuplicates): string[] {
  const { folder, pairs, count: number } = found;
  const more = number - pairs.length;
  return [
    `near-duplicates: ${nearDuplicatesText(found)}, so accuracy on them says too much. Nothing is removed. In ${folder}:`,
    ...pairs.map((pair) => `  ${pair.split} ${pair.file} ~ ${pair.twinSplit} ${pair.twin}: ${likenessOf(pair)}`),
    ...(more > 0 ? [`  … and ${count(more)} more`] : []),
  ];
}
