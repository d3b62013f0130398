import { wilsonInterval } from "./calibration.ts";

/** What becomes of answers where those below a probability are "not sure". */
export interface CoverageRow {
  /** An answer of a smaller probability counts as "not sure". */
  readonly below: number;
  /** Images that are answered. */
  readonly images: number;
  /** Their share of all. */
  readonly coverage: number;
  /** The share of the answered ones that is right, and its 95 % interval; undefined where none is answered. */
  readonly accuracy: number | undefined;
  readonly interval: readonly [low: number, high: number] | undefined;
}

/** Probabilities that a coverage is known for: by twentieths, and finer where a network is most often. */
export const COVERAGE_STEPS: readonly number[] = [...Array.from({ length: 20 }, (_, i) => i / 20), 0.98, 0.99, 0.995, 0.999];

/**
 * Counts what is answered, and right, at rising probabilities.
 * @param asked a probability of one's own
 * @see https://jmlr.org/papers/v11/el-yaniv10a.html (El-Yaniv and Wiener, selective classification)
 */
export function createCoverage(asked?: number): {
  add(confidence: number, isRight: boolean): void;
  result(): { readonly coverage: readonly CoverageRow[]; readonly abstention?: CoverageRow };
} {
  const thresholds = asked === undefined ? COVERAGE_STEPS : [...COVERAGE_STEPS, asked];
  const counts = thresholds.map(() => ({ answered: 0, right: 0 }));
  let all = 0;
  return {
    add(confidence, isRight) {
      all++;
      for (const [k, below] of thresholds.entries()) {
        if (confidence < below) continue;
        counts[k].answered++;
        if (isRight) counts[k].right++;
      }
    },
    result() {
      const rows = thresholds.map((below, k): CoverageRow => {
        const { answered, right } = counts[k];
        const accuracy = answered ? right / answered : undefined;
        const interval = accuracy === undefined ? undefined : wilsonInterval(accuracy, answered);
        return { below, images: answered, coverage: answered / all, accuracy, interval };
      });
      const coverage = rows.slice(0, COVERAGE_STEPS.length);
      return asked === undefined ? { coverage } : { coverage, abstention: rows[COVERAGE_STEPS.length] };
    },
  };
}
