import type { ProgressBar } from "../core/progress-bar.node.ts";
import { bytes, count, duration, learningRate, pad, percent, plural, remaining } from "../core/text.ts";
import { HEAT_MAP } from "../export/grad-cam.ts";
import type { Exported } from "./export-run.node.ts";
import type { FitEvent } from "./fit.ts";
import { bestOf, type EpochRecord } from "./progress.ts";
import type { ReportEvent } from "./report/report-run.node.ts";
import { calibratedLines, reportedLines, showMeasuring } from "./report/show-report.node.ts";
import type { RunEvent } from "./run.node.ts";
import { engineLines, showFeatures, showPreparation } from "./show-preparation.node.ts";
import { weightsLines } from "./weights/start.node.ts";

export interface RunOutcome {
  /** Whether it came to the training. */
  readonly started: boolean;
  readonly reason: "finished" | "early stop" | "interrupted";
  readonly history: readonly EpochRecord[];
  readonly exported?: Exported;
  readonly reported?: Extract<ReportEvent, { kind: "reported" }>;
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
  ["rate", 9, (r) => learningRate(r.learningRate)],
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

const lineOf = (epoch: string, cell: (column: (typeof COLUMNS)[number]) => string): string =>
  `${epoch.padStart(EPOCH)}${columnsFor(process.stdout.columns)
    .map((column) => pad(cell(column), column[1] + 1, "right"))
    .join("")}`;
const headings = (): string => lineOf("epoch", ([heading]) => heading);
const recordLine = (epoch: string, record: EpochRecord): string => lineOf(epoch, ([, , cell]) => cell(record));

/** Shows a run's events as they come: a progress bar, and a line for each epoch; or lines of JSON. @returns how it ended. */
export async function showRun(
  events: AsyncIterable<RunEvent>,
  { json = false, title, progress, print }: ShowRunOptions,
): Promise<RunOutcome> {
  const pace = createPace();
  let outcome: RunOutcome = { started: false, reason: "interrupted", history: [] };
  let epochs = 0;
  let steps = 0;
  let resumedAt = 0; // until the first step shows that the run goes on
  const goOn = (): void => {
    if (resumedAt === 0) return;
    print(`Going on after step ${count(resumedAt)} of ${count(steps)}.`);
    print(headings());
    resumedAt = 0;
  };
  try {
    for await (const event of events) {
      if (event.kind === "end") outcome = { started: true, reason: event.reason, history: event.history };
      if (event.kind === "exported") outcome = { ...outcome, exported: event };
      if (event.kind === "reported") outcome = { ...outcome, reported: event };
      if (json) {
        print(JSON.stringify(event));
        continue;
      }
      switch (event.kind) {
        case "decoding":
        case "note":
        case "left out":
        case "comparing":
        case "near-duplicates":
          showPreparation(event, progress);
          break;
        case "engine":
          progress.clear();
          for (const line of engineLines(event)) print(line);
          break;
        case "features":
          showFeatures(event, progress);
          break;
        case "prepared":
          progress.clear();
          print(title);
          print(preparedLine(event));
          break;
        case "weights":
          for (const line of weightsLines(event)) print(line);
          break;
        case "start":
          ({ epochs, steps } = event);
          pace.start(event);
          resumedAt = event.step;
          print("");
          if (event.step === 0) print(headings());
          break;
        case "step":
          goOn();
          progress.show(event.batch, event.batches, placeOf(event, epochs), pace.facts(event));
          break;
        case "log":
          progress.clear();
          goOn();
          print(recordLine(event.record.epoch.toFixed(2), event.record));
          break;
        case "epoch":
          progress.clear();
          goOn();
          print(`${recordLine(`${event.record.epoch}/${epochs}`, event.record)}${event.isBest ? BEST : ""}`);
          break;
        case "end":
          progress.clear();
          print(resumedAt > 0 ? "This run is finished: nothing is left to train." : "");
          print(endLine(event));
          break;
        case "exported":
          print(exportedLine(event));
          break;
        case "calibrated":
          for (const line of calibratedLines(event)) print(line);
          break;
        case "not calibrated":
          print(`  not calibrated: ${event.reason}`);
          break;
        case "measuring":
          showMeasuring(progress, event);
          break;
        case "reported":
          progress.clear();
          for (const line of reportedLines(event)) print(line);
      }
    }
  } finally {
    progress.clear();
  }
  return outcome;
}

const placeOf = ({ epoch, batch, batches }: Extract<FitEvent, { kind: "step" }>, epochs: number): string =>
  `epoch ${epoch}/${epochs}  step ${batch}/${batches}`;

const preparedLine = ({ parameters, trained, classes, training, views, validation }: Extract<RunEvent, { kind: "prepared" }>): string =>
  `${plural(parameters, "parameter")}${trained < parameters ? `, of which ${count(trained)} train` : ""}, ${classes} classes; ${count(training)} images to train on${views === undefined ? "" : ` in ${plural(views, "view")} each`}, ${count(validation)} to validate on`;

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
export function exportedLine({ file, bytes: size, images, largestDifference = 0, selfContained, layer }: Omit<Exported, "epoch">): string {
  const distance = largestDifference === 0 ? "0" : largestDifference.toExponential(0);
  const verified = `\n  verified on ${plural(images ?? 0, "image")}: probabilities within ${distance} of the trained network's`;
  const whole = selfContained
    ? `\n  self-contained, ${selfContained.views}: on its golden samples within ${percentagePoints(selfContained.largestDifference)} of the ordinary path`
    : "";
  const why = layer === undefined ? "" : `\n  second output ${HEAT_MAP}: Grad-CAM of the most probable class at ${layer}`;
  return `${file}: ${bytes(size)}${images === undefined ? "" : verified}${whole}${why}`;
}

const percentagePoints = (difference: number): string => `${(100 * difference).toPrecision(1)} percentage points`;

/**
 * Images a second in this epoch, without the first step, which compiles, and the time that the rest will take: as much for an image's pixel as until now,
 * with its share of validation.
 */
export function createPace(now = () => performance.now()) {
  let from = { step: 0, done: 0, at: 0 };
  let epoch = { number: 0, images: 0, seconds: 0 };
  return {
    start({ step, done }: Extract<FitEvent, { kind: "start" }>): void {
      from = { step, done, at: now() };
    },
    facts(event: Extract<FitEvent, { kind: "step" }>): string {
      const { images, seconds, step, done, runningLoss, runningAccuracy } = event;
      if (epoch.number !== event.epoch) epoch = { number: event.epoch, images: 0, seconds: 0 };
      if (step > from.step + 1) epoch = { ...epoch, images: epoch.images + images, seconds: epoch.seconds + seconds };
      const left = ((now() - from.at) / 1e3 / (done - from.done)) * (1 - done);
      const speed = epoch.images ? `${count(epoch.images / Math.max(1e-3, epoch.seconds))} img/s  ${remaining(left)} left` : "";
      return `loss ${runningLoss.toFixed(4)}  acc. ${percent(runningAccuracy)}  ${speed}`.trimEnd();
    },
  };
}
