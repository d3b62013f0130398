import type { RunConfig } from "../run-config.ts";

/** What an experiment is expected to reach: of one number, at least and about it; of two, between them. */
export interface Expectation {
  /** Training accuracy is of the last epoch; top-1 and top-5 are on the test split, without test-time augmentation. */
  readonly metric: "training accuracy" | "top-1" | "top-5";
  /** In [0, 1]. */
  readonly share: number | readonly [from: number, to: number];
}

/** An experiment: the options of its run over the defaults, and what came out elsewhere. */
export interface Recipe {
  readonly summary: string;
  readonly options: Partial<RunConfig> & Pick<RunConfig, "model" | "data">;
  /** Empty where only curves are known. */
  readonly expected: readonly Expectation[];
  /** Where the expectation comes from. */
  readonly source: string;
}
