import { count, duration, percent, table } from "../../core/text.ts";
import { bestOf, type EpochRecord, type LogRecord } from "../progress.ts";
import { networkName, type RunConfig } from "../run-config.ts";
import type { RunEvaluation } from "./report-run.node.ts";
import { optionText } from "./rerun.ts";

/** A run beside others. */
export interface ComparedRun {
  /** As it was named. */
  readonly run: string;
  readonly config: RunConfig;
  readonly environment: Readonly<Record<string, string>>;
  readonly parameters: number;
  readonly history: readonly EpochRecord[];
  /** Measured between epochs, with --log-every. */
  readonly logs: readonly LogRecord[];
  /** Of its best epoch, as its report measured it. */
  readonly evaluation?: RunEvaluation;
  /** Its model was exported: it came to its end. */
  readonly finished: boolean;
}

/** A field of `run.json` that is not the same in all runs. */
export interface Difference {
  readonly field: string;
  /** Of each run, as on a command line; nothing where it has none. */
  readonly values: readonly (string | undefined)[];
}

export interface Comparison {
  readonly runs: readonly ComparedRun[];
  readonly differences: readonly Difference[];
  /** What stands against comparing them, a sentence each. */
  readonly notes: readonly string[];
}

export const secondsOf = ({ history }: Pick<ComparedRun, "history">): number => history.reduce((sum, { seconds }) => sum + seconds, 0);

/** Seconds of the run until a record of it: of an epoch's end, or of a log within one, which lies in its finished epoch where its steps do. */
export function elapsedAt({ history, logs }: Pick<ComparedRun, "history" | "logs">, { epoch }: LogRecord): number {
  const done = Math.floor(epoch);
  const before = secondsOf({ history: history.slice(0, done) });
  if (epoch === done) return before;
  const finished = history[done];
  if (finished) return before + (epoch - done) * finished.seconds;
  return before + secondsOf({ history: logs.filter((log) => log.epoch > done && log.epoch <= epoch) });
}

/** Puts runs beside one another: what differs in what they were asked for, and whether their numbers may be compared at all. */
export function compareRuns(runs: readonly ComparedRun[]): Comparison {
  return { runs, differences: differencesOf(runs), notes: notesOf(runs) };
}

function differencesOf(runs: readonly ComparedRun[]): Difference[] {
  const fields = runs.map(({ config, environment }) => ({ ...config, ...environment }) as Readonly<Record<string, unknown>>);
  const names = [...new Set(fields.flatMap(Object.keys))].filter((name) => name !== "model" && name !== "modelHash" && name !== "data");
  return names
    .map((field) => ({
      field,
      values: fields.map((each) => (each[field] === undefined ? undefined : optionText(field, each[field]))),
    }))
    .filter(({ values }) => new Set(values).size > 1);
}

const distinct = <T>(values: readonly T[]): T[] => [...new Set(values)];

function notesOf(runs: readonly ComparedRun[]): string[] {
  const data = distinct(runs.map(({ config }) => config.data));
  const splits = distinct(runs.flatMap(({ config: { seed, validation } }) => (validation === undefined ? [] : [`${validation} ${seed}`])));
  const measured = distinct(runs.flatMap(({ evaluation }) => (evaluation ? [evaluation.split] : [])));
  const amounts = distinct(runs.flatMap(({ evaluation }) => (evaluation ? [count(evaluation.images)] : [])));
  const unfinished = runs.filter(({ finished }) => !finished).map(({ run }) => run);
  const unmeasured = runs.filter(({ evaluation }) => !evaluation).map(({ run }) => run);
  return [
    ...(data.length > 1
      ? [`These runs are of different data sets (${data.join(", ")}): their losses and accuracies cannot be compared.`]
      : []),
    ...(data.length === 1 && splits.length > 1
      ? ["The seeds or validation shares differ, so the runs may have kept other images for validation: their test numbers compare better."]
      : []),
    ...(measured.length > 1 ? [`The reports measured different splits (${measured.join(", ")}): see which beside each number.`] : []),
    ...(data.length === 1 && measured.length === 1 && amounts.length > 1
      ? [`The reports measured different numbers of images (${amounts.join(", ")}): fivecrop report RUN --limit N makes them alike.`]
      : []),
    ...(unfinished.length ? [`Not finished: ${unfinished.join(", ")}.`] : []),
    ...(unmeasured.length ? [`No measured numbers of ${unmeasured.join(", ")}: fivecrop report RUN makes them.`] : []),
  ];
}

const evaluationText = ({ evaluation }: ComparedRun): string =>
  evaluation ? `${percent(evaluation.top1)}${evaluation.split === "test" ? "" : ` (${evaluation.split})`}` : "–";

const bestText = ({ history }: ComparedRun): string => {
  const best = bestOf(history);
  return best ? `${percent(best.validationAccuracy)} (${best.epoch})` : "–";
};

/** What is said of each run, in the terminal and in the page. */
export const COMPARED: readonly (readonly [heading: string, align: "l" | "r", cell: (run: ComparedRun) => string])[] = [
  ["model", "l", ({ config }) => networkName(config.model)],
  ["data", "l", ({ config }) => config.data],
  ["parameters", "r", ({ parameters }) => count(parameters)],
  [
    "epochs",
    "r",
    ({ history, config }) => (history.length === config.epochs ? String(history.length) : `${history.length} of ${config.epochs}`),
  ],
  ["best validation (epoch)", "r", bestText],
  ["test", "r", evaluationText],
  ["time", "r", (run) => duration(secondsOf(run))],
];

/** A comparison as lines for people. */
export function comparisonLines({ runs, differences, notes }: Comparison): string[] {
  const rows = runs.map((run) => [run.run, ...COMPARED.map(([, , cell]) => cell(run))]);
  const differing = differences.map(({ field, values }) => [field, ...values.map((value) => value ?? "–")]);
  return [
    ...table([["run", ...COMPARED.map(([heading]) => heading)], ...rows], { align: `l${COMPARED.map(([, align]) => align).join("")}` }),
    "",
    ...(differing.length
      ? ["What differs in their run.json:", ...table([["", ...runs.map(({ run }) => run)], ...differing], { align: "l", indent: 2 })]
      : ["Their run.json ask for the same."]),
    ...(notes.length ? ["", ...notes] : []),
  ];
}
