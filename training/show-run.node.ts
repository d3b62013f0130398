import type { ProgressBar } from "../core/progress-bar.node.ts";
import { bytes, count, duration, pad, percent, plural, remaining } from "../core/text.ts";
import type { Exported } from "./export-run.node.ts";
import type { FitEvent } from "./fit.ts";
import { bestOf, type EpochRecord } from "./progress.ts";
import type { RunEvent } from "./run.node.ts";

export interface RunOutcome {
  readonly reason: "finished" | "early stop" | "interrupted";
  readonly history: readonly EpochRecord[];
  readonly exported?: Exported;
}

export interface ShowRunOptions {
  /** Events as lines of JSON instead. */
  readonly json?: boolean;
  /** Stands above everything: what is trained on what. */
  readonly title: string;
  readonly progress: ProgressBar;
  readonly print: (line: string) => void;
}

const COLUMNS: readonly (readonly [heading: string, width: number, cell: (record: EpochRecord) => string])[] = [
  ["loss", 8, (r) => r.trainingLoss.toFixed(4)],
  ["accuracy", 9, (r) => percent(r.trainingAccuracy)],
  ["val. loss", 10, (r) => r.validationLoss?.toFixed(4) ?? "–"],
  ["val. acc.", 10, (r) => percent(r.validationAccuracy)],
  ["rate", 9, (r) => r.learningRate.toPrecision(3)],
  ["time", 11, (r) => duration(r.seconds)],
];
const EPOCH = 7;
const BEST = "  best";
/** The columns that go first where there is no room. */
const EXPENDABLE = ["rate", "val. loss", "accuracy", "time"];

/** All columns, or on a narrow terminal those that say most. */
function columnsFor(width: number | undefined): typeof COLUMNS {
  const taken = (shown: typeof COLUMNS) => shown.reduce((sum, [, each]) => sum + each + 1, EPOCH + BEST.length);
  let shown = COLUMNS;
  for (const heading of EXPENDABLE) if (taken(shown) > (width || Infinity)) shown = shown.filter(([each]) => each !== heading);
  return shown;
}

const headings = (): string =>
  `${"epoch".padStart(EPOCH)}${columnsFor(process.stdout.columns)
    .map(([heading, width]) => pad(heading, width + 1, "right"))
    .join("")}`;
const epochLine = (record: EpochRecord, epochs: number, isBest: boolean): string =>
  `${`${record.epoch}/${epochs}`.padStart(EPOCH)}${columnsFor(process.stdout.columns)
    .map(([, width, cell]) => pad(cell(record), width + 1, "right"))
    .join("")}${isBest ? BEST : ""}`;

/** Shows a run's events as they come: a progress bar, and a line for each epoch; or lines of JSON. @returns how it ended. */
export async function showRun(
  events: AsyncIterable<RunEvent>,
  { json = false, title, progress, print }: ShowRunOptions,
): Promise<RunOutcome> {
  const pace = createPace();
  let outcome: RunOutcome = { reason: "interrupted", history: [] };
  let epochs = 0;
  let stepsPerEpoch = 0;
  let resumedAt = 0; // until the first step shows that the run goes on
  const goOn = (): void => {
    if (resumedAt === 0) return;
    print(`Going on after step ${count(resumedAt)} of ${count(epochs * stepsPerEpoch)}.`);
    print(headings());
    resumedAt = 0;
  };
  try {
    for await (const event of events) {
      if (event.kind === "end") outcome = { reason: event.reason, history: event.history };
      if (event.kind === "exported") outcome = { ...outcome, exported: event };
      if (json) {
        print(JSON.stringify(event));
        continue;
      }
      switch (event.kind) {
        case "prepared":
          print(title);
          print(preparedLine(event));
          print("");
          break;
        case "start":
          ({ epochs, stepsPerEpoch } = event);
          pace.start(event.step);
          resumedAt = event.step;
          if (event.step === 0) print(headings());
          break;
        case "step":
          goOn();
          progress.show(event.batch, stepsPerEpoch, `epoch ${event.epoch}/${epochs}`, pace.facts(event, epochs * stepsPerEpoch));
          break;
        case "epoch":
          progress.clear();
          goOn();
          print(epochLine(event.record, epochs, event.isBest));
          break;
        case "end":
          progress.clear();
          print(resumedAt > 0 ? "This run is finished: nothing is left to train." : "");
          print(endLine(event));
          break;
        case "exported":
          print(exportedLine(event));
      }
    }
  } finally {
    progress.clear();
  }
  return outcome;
}

const preparedLine = ({ parameters, classes, training, validation }: Extract<RunEvent, { kind: "prepared" }>): string =>
  `${plural(parameters, "parameter")}, ${classes} classes; ${count(training)} images to train on, ${count(validation)} to validate on`;

function endLine({ reason, history, best }: Extract<FitEvent, { kind: "end" }>): string {
  if (reason === "interrupted") return "Stopped after a whole step; everything is saved.";
  const accuracy =
    best?.validationAccuracy === undefined
      ? `training accuracy ${percent(best?.trainingAccuracy)}`
      : `validation accuracy ${percent(best.validationAccuracy)}`;
  const early = reason === "early stop" ? `No better epoch for ${history.length - bestOf(history)!.epoch}: stopped early. ` : "";
  return `${early}Best epoch: ${best?.epoch} of ${history.length}, ${accuracy}.`;
}

/** What an exported file was found to be. */
export function exportedLine({ file, bytes: size, images, largestDifference = 0, selfContained }: Omit<Exported, "epoch">): string {
  const verified = `\n  verified on ${plural(images ?? 0, "image")}: probabilities within ${largestDifference.toExponential(0)} of the trained network's`;
  const whole = selfContained
    ? `\n  self-contained, ${selfContained.views}: on its golden samples within ${percentagePoints(selfContained.largestDifference)} of the ordinary path`
    : "";
  return `${file}: ${bytes(size)}${images === undefined ? "" : verified}${whole}`;
}

const percentagePoints = (difference: number): string => `${(100 * difference).toPrecision(1)} percentage points`;

/** Images a second in this epoch, and the time that the remaining steps will take. */
function createPace() {
  let from = { step: 0, at: 0 };
  let epoch = { number: 0, images: 0, at: 0 };
  return {
    start(step: number): void {
      from = { step, at: performance.now() };
    },
    facts({ epoch: number, images, step, runningLoss, runningAccuracy }: Extract<FitEvent, { kind: "step" }>, total: number): string {
      const now = performance.now();
      if (epoch.number !== number) epoch = { number, images: 0, at: epoch.number === 0 ? from.at : now };
      else epoch.images += images;
      const rate = epoch.images / Math.max(1e-3, (now - epoch.at) / 1e3);
      const left = ((now - from.at) / 1e3 / (step - from.step)) * (total - step);
      const speed = epoch.images ? `${count(rate)} img/s  ${remaining(left)} left` : "";
      return `loss ${runningLoss.toFixed(4)}  acc. ${percent(runningAccuracy)}  ${speed}`.trimEnd();
    },
  };
}
