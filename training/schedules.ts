import { UsageError } from "../core/errors.ts";
import { lookUp } from "../core/nearest.ts";

/** The learning rate at a step, as a factor of the base rate. `step` counts from 0; `total` is the run's length, both in the schedule's unit. */
export type Shape = (step: number, total: number) => number;

export interface Schedule {
  /** As it was written, such as `exponential:0.999/step`. */
  readonly text: string;
  /** The same with every number and unit, such as `one-cycle:0.3,25,10000/step`. */
  readonly complete: string;
  /** @returns the factor of the base rate for a step of the run in its epoch, both counted from 0. */
  factor(at: Place, total: Length): number;
}

export interface Place {
  readonly step: number;
  readonly epoch: number;
}

/** A run's length. */
export interface Length {
  readonly steps: number;
  readonly epochs: number;
}

const exponential =
  (gamma: number): Shape =>
  (step) =>
    gamma ** step;

/** × gamma after every `every` units. */
const staircase =
  (every: number, gamma: number): Shape =>
  (step) =>
    gamma ** Math.floor(step / every);

/** From 1 to `low` along half a cosine. @see Loshchilov and Hutter, "SGDR", 2017 */
const cosine =
  (low: number): Shape =>
  (step, total) =>
    low + ((1 - low) * (1 + Math.cos((Math.PI * step) / Math.max(1, total)))) / 2;

/**
 * Up from 1 / start to 1 over the first share of the run, then down to 1 / (start · end), both along half a cosine.
 * @see Smith and Topin, "Super-convergence", 2018; PyTorch's OneCycleLR
 */
const oneCycle =
  (share: number, start: number, end: number): Shape =>
  (step, total) => {
    const peak = share * total - 1;
    const along = (from: number, to: number, t: number) => to + ((from - to) * (1 + Math.cos(Math.PI * t))) / 2;
    if (step <= peak) return along(1 / start, 1, step / Math.max(peak, 1));
    return along(1, 1 / (start * end), Math.min(1, (step - peak) / Math.max(total - 1 - peak, 1)));
  };

interface Family {
  /** How it is written, with its defaults. */
  readonly usage: string;
  readonly defaults: readonly number[];
  /** The unit it counts in where the text does not say. */
  readonly unit: "step" | "epoch";
  readonly shape: (...numbers: readonly number[]) => Shape;
  readonly valid: (...numbers: readonly number[]) => boolean;
}

export const SCHEDULES = {
  constant: { usage: "constant", defaults: [], unit: "step", shape: () => () => 1, valid: () => true },
  exponential: { usage: "exponential:GAMMA", defaults: [0.95], unit: "epoch", shape: exponential, valid: (gamma) => gamma > 0 },
  step: {
    usage: "step:EVERY,GAMMA",
    defaults: [10, 0.1],
    unit: "epoch",
    shape: staircase,
    valid: (every, gamma) => every >= 1 && gamma > 0,
  },
  cosine: { usage: "cosine:LOWEST_FACTOR", defaults: [0], unit: "step", shape: cosine, valid: (low) => low >= 0 && low <= 1 },
  "one-cycle": {
    usage: "one-cycle:RISING_SHARE,START_DIVISOR,END_DIVISOR",
    defaults: [0.3, 25, 1e4],
    unit: "step",
    shape: oneCycle,
    valid: (share, start, end) => share > 0 && share < 1 && start >= 1 && end > 0,
  },
} as const satisfies Readonly<Record<string, Family>>;

/**
 * A schedule from its text: NAME[:NUMBER,…][/step or /epoch][+warmup:LENGTH[/step or /epoch]]. Warm-up rises linearly, (t + 1) / LENGTH, and multiplies.
 * @example parseSchedule("exponential:0.999/step"), parseSchedule("cosine+warmup:500/step")
 * @throws UsageError
 */
export function parseSchedule(text: string): Schedule {
  const [main, warmup, ...rest] = text.split("+");
  if (rest.length) throw new UsageError(`schedule '${text}': expected at most one '+', received ${rest.length + 1}.`);
  const { name, numbers, unit } = parsePart(main, text);
  const family: Family = lookUp("schedule", SCHEDULES as Readonly<Record<string, Family>>, name);
  if (numbers.length > family.defaults.length) throw wrong(text, family.usage);
  const complete = family.defaults.map((standard, i) => numbers[i] ?? standard);
  if (!complete.every(Number.isFinite) || !family.valid(...complete)) throw wrong(text, family.usage);
  const shape = family.shape(...complete);
  const rising = warmup === undefined ? undefined : parseWarmup(warmup, text);
  const numbersOf = complete.length ? `:${complete.join(",")}` : "";
  return {
    text,
    complete: `${name}${numbersOf}/${unit ?? family.unit}${rising ? `+warmup:${rising.length}/${rising.unit}` : ""}`,
    factor(at, total) {
      const chosen = unit ?? family.unit;
      const warm = rising ? Math.min(1, (at[rising.unit] + 1) / rising.length) : 1;
      return warm * shape(at[chosen], chosen === "step" ? total.steps : total.epochs);
    },
  };
}

interface Part {
  readonly name: string;
  readonly numbers: readonly number[];
  readonly unit: "step" | "epoch" | undefined;
}

function parsePart(part: string, text: string): Part {
  const [body, unit, ...rest] = part.split("/");
  const [name, list, ...more] = body.split(":");
  if (rest.length || more.length || (unit !== undefined && unit !== "step" && unit !== "epoch"))
    throw new UsageError(`schedule '${text}': expected NAME[:NUMBER,…][/step or /epoch], received '${part}'.`);
  return { name, numbers: list === undefined ? [] : list.split(",").map(Number), unit };
}

function parseWarmup(part: string, text: string): { readonly length: number; readonly unit: "step" | "epoch" } {
  const { name, numbers, unit = "step" } = parsePart(part, text);
  if (name !== "warmup" || numbers.length !== 1 || !(numbers[0] >= 1)) throw wrong(text, "…+warmup:LENGTH[/step or /epoch]");
  return { length: numbers[0], unit };
}

const wrong = (text: string, usage: string): UsageError =>
  new UsageError(`schedule '${text}': expected the form ${usage}, with numbers in range.`);
