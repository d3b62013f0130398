import { count, plural } from "../core/text.ts";
import { readImage } from "../pipeline/decode.node.ts";
import type { PreprocessSpec } from "../pipeline/preprocess.ts";
import { resizeOf, type View } from "../pipeline/views.ts";
import type { Classifier } from "./classifier.ts";
import type { FileAnswer } from "./classify-files.ts";
import type { ImageSource } from "./image-source.node.ts";

/** The shorter side, in pixels, that a picture must keep for all of these views: `shrinkOnLoad` of the decoder; undefined where they take it in its own size. */
export function sideFor(views: readonly View[], spec: PreprocessSpec): number | undefined {
  const sides = views.map((view) => resizeOf(view, spec)).map((resize) => (Array.isArray(resize) ? Math.max(...resize) : resize));
  return sides.some((side) => side === null) ? undefined : Math.max(...(sides as number[]));
}

/** What reading at a reduced size did to one picture. */
export interface Shift {
  /** It was large enough to be read smaller. */
  readonly reduced: boolean;
  /** The largest difference of a probability from those of the whole picture. */
  readonly largestDifference: number;
  /** Another class is the most probable one. */
  readonly otherBest: boolean;
}

/** By how much the probabilities of a run's first pictures move. */
export interface ShiftReport {
  /** Reads an answered file again, whole; undefined once enough were. @throws FivecropError where it can no longer be read. */
  measure(answer: FileAnswer): Promise<Shift | undefined>;
  /** What is said at the end. */
  lines(): readonly string[];
}

/** Pictures that are read twice: to read all twice would cost more than the option spares. */
const MEASURED = 16;

/** Measures the first pictures against their whole files, with the same network. */
export function createShiftReport(classifier: Pick<Classifier<ImageSource>, "classify" | "preprocess">): ShiftReport {
  const shifts: Shift[] = [];
  return {
    async measure({ file, classification }) {
      if (!classification || shifts.length === MEASURED) return undefined;
      const { probabilities, predictions } = classification;
      const views = classification.views.map(({ view }) => view);
      const whole = await readImage(file);
      const read = await readImage(file, { shrinkOnLoad: sideFor(views, classifier.preprocess) });
      const exact = await classifier.classify(whole, { views, top: 1 });
      const shift: Shift = {
        reduced: read.width < whole.width,
        largestDifference: exact.probabilities.reduce((largest, p, k) => Math.max(largest, Math.abs(p - probabilities[k])), 0),
        otherBest: exact.predictions[0].classIndex !== predictions[0].classIndex,
      };
      shifts.push(shift);
      return shift;
    },
    lines: () => (shifts.length ? [shiftLine(shifts)] : []),
  };
}

function shiftLine(shifts: readonly Shift[]): string {
  const reduced = shifts.filter((shift) => shift.reduced);
  const pictures = shifts.length < MEASURED ? plural(shifts.length, "picture") : `the first ${MEASURED} pictures`;
  const measured = `--shrink-on-load: of ${pictures}, ${count(reduced.length)} read at a reduced size`;
  if (reduced.length === 0) return `${measured}; no probability moved`;
  const points = (100 * Math.max(...reduced.map(({ largestDifference }) => largestDifference))).toFixed(2);
  const others = reduced.filter(({ otherBest }) => otherBest).length;
  return `${measured}; probabilities moved by up to ${points} percentage points, the best class of ${others ? count(others) : "none"} changed`;
}
