// Answers and evaluations as lines of text, for people.
import { count, pad, percent, plural, table } from "../core/text.ts";
import { nameOfView } from "../pipeline/views.ts";
import type { Prediction, ViewClassification } from "./classifier.ts";
import type { Evaluation } from "./evaluate.ts";
import type { ClassMetrics } from "./tally.ts";

const BAR = 24;
/** Two spaces, the label, two more, the percentage, two more. */
const BESIDE_BAR = 13;

/** One picture's predictions, a line each, with bars. @param labelWidth of the widest label that is shown beside it. @param columns of the terminal */
export function predictionLines(
  predictions: readonly Prediction[],
  labelWidth = Math.max(...predictions.map(({ label }) => label.length)),
  columns = 80,
): string[] {
  const bar = Math.max(0, Math.min(BAR, columns - labelWidth - BESIDE_BAR));
  return predictions.map(({ label, probability }) =>
    `  ${pad(label, labelWidth, "left")}  ${percent(probability, 1).padStart(7)}  ${"█".repeat(Math.round(bar * probability))}`.trimEnd(),
  );
}

/** What stands behind a picture whose best prediction is too improbable to be an answer. */
export const unsureText = ([{ label, probability }]: readonly Prediction[], below: number): string =>
  `not sure, best guess ${label} (${percent(probability, 1)}, below ${Number((100 * below).toPrecision(12))} %)`;

/** What is answered, and how well, where improbable answers are "not sure". */
function abstentionLines(evaluations: readonly Evaluation[]): string[] {
  const rows = evaluations.flatMap(({ views, abstention }) => (abstention ? [{ views, ...abstention }] : []));
  if (rows.length === 0) return [];
  const share = (at: readonly [number, number] | undefined): string => (at ? `${percent(at[0], 1)} to ${percent(at[1], 1)}` : "–");
  return [
    "",
    `answers below ${Number((100 * rows[0].below).toPrecision(12))} % are "not sure":`,
    ...table(
      [
        ["views", "answered", "coverage", "right of these", "95 %"],
        ...rows.map(({ views, images, coverage, accuracy, interval }) => [
          views,
          count(images),
          percent(coverage),
          percent(accuracy),
          share(interval),
        ]),
      ],
      { align: "lr" },
    ),
  ];
}

/** What each view alone says, a line each, the columns aligned. */
export function viewLines(views: readonly ViewClassification[]): string[] {
  const rows = views.map(({ view, predictions }) => [
    nameOfView(view),
    ...predictions.flatMap(({ label, probability }) => [label, percent(probability, 1)]),
  ]);
  return ["  each view alone:", ...table(rows, { align: `l${"lr".repeat(views[0].predictions.length)}`, indent: 4, gap: 2 })];
}

/** Evaluations of one model on one data set by several choices of views: totals, each class, what is taken for what. @param columns of the terminal. */
export function evaluationLines(evaluations: readonly Evaluation[], columns: number): string[] {
  const [first] = evaluations;
  const all = first.perClass.map(({ label, images }, k) => ({ label, images, k }));
  const present = all.filter(({ images }) => images > 0);
  const absent = all.length - present.length;
  const compared = evaluations.some(({ againstNone }) => againstNone);
  const totals = table(
    [
      ["views", "top-1", "top-5", "loss", "ECE", ...(compared ? ["fixed", "broke"] : [])],
      ...evaluations.map(({ views, top1, top5, loss, calibration, againstNone }) => [
        views,
        percent(top1),
        percent(top5),
        loss.toFixed(4),
        percent(calibration.expectedCalibrationError),
        ...(againstNone ? [count(againstNone.fixed), count(againstNone.broke)] : []),
      ]),
    ],
    { align: "lr" },
  );
  const legend = [
    "ECE: expected calibration error, how far the probability of an answer is from the share that is right",
    ...(compared ? ["fixed: wrong with none and right with these views; broke: the reverse; in images"] : []),
  ];
  const classes = table(
    [
      ["class", "images", ...evaluations.map(({ views }) => views)],
      ...present.map(({ label, images, k }) => [label, count(images), ...evaluations.map(({ perClass }) => percent(perClass[k].accuracy))]),
    ],
    { align: "lr" },
  );
  const speed = `${plural(first.images, "image")}, ${count(first.imagesPerSecond)} a second${evaluations.length > 1 ? ", all views together" : ""}${first.unreadable ? `; ${count(first.unreadable)} left out that cannot be read` : ""}`;
  const others = absent ? [`${count(absent)} more of the model's classes: no image is of them`] : [];
  return [
    speed,
    "",
    ...totals,
    ...legend,
    ...abstentionLines(evaluations),
    "",
    ...classes,
    ...others,
    ...evaluations.flatMap((each) => ["", ...confusionLines(each, columns)]),
  ];
}

const MOST_CONFUSIONS = 15;

/** The confusion matrix where it fits, else its largest entries off the diagonal. */
export function confusionLines(
  { views, perClass, confusion }: Pick<Evaluation, "views" | "confusion"> & { readonly perClass: readonly Pick<ClassMetrics, "label">[] },
  columns: number,
): string[] {
  const labels = perClass.map(({ label }) => label);
  const numbers = labels.map((_, k) => String(k));
  const matrix = table(
    [
      ["", "", ...numbers],
      ...confusion.map((row, truth) => [numbers[truth], labels[truth], ...row.map((n) => (n === 0 ? "·" : String(n)))]),
    ],
    { align: "rlr", gap: 2 },
  );
  if (Math.max(...matrix.map((line) => line.length)) < columns)
    return [`confusion matrix, ${views} (a row for each true class, a column for each answer)`, ...matrix];
  const wrong = confusion.flatMap((row, truth) => row.flatMap((n, answer) => (n === 0 || truth === answer ? [] : [{ n, truth, answer }])));
  const largest = wrong.sort((a, b) => b.n - a.n).slice(0, MOST_CONFUSIONS);
  return [
    `most frequent confusions, ${views}`,
    ...table(
      largest.map(({ n, truth, answer }) => [count(n), labels[truth], "taken for", labels[answer]]),
      { align: "rl" },
    ),
  ];
}
