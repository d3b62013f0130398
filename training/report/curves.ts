import type { EChartsOption, LineSeriesOption } from "echarts";
import { duration, learningRate, percent, plural } from "../../core/text.ts";
import { bestOf, type EpochRecord, type LogRecord } from "../progress.ts";
import { AXIS, CHART_SIZE, figureOf, renderSvg, upTo100 } from "./chart.ts";
import { COLORS, SERIES } from "./colors.ts";
import { folded, type Html, html, tableOf } from "./html.ts";

interface Curve {
  readonly name: string;
  readonly color: string;
  readonly symbol: "circle" | "rect";
  readonly value: (record: EpochRecord) => number | undefined;
}

interface Panel {
  readonly title: string;
  readonly axis: string;
  readonly percent?: true;
  readonly curves: readonly Curve[];
}

const TRAINING = { name: "training", color: SERIES[0][0], symbol: "circle" } as const;
const VALIDATION = { name: "validation", color: SERIES[1][0], symbol: "rect" } as const;
const times100 = (value: number | undefined): number | undefined => (value === undefined ? undefined : 100 * value);

const LOSS: Panel = {
  title: "Loss",
  axis: "loss",
  curves: [
    { ...TRAINING, value: (r) => r.trainingLoss },
    { ...VALIDATION, value: (r) => r.validationLoss },
  ],
};
const ACCURACY: Panel = {
  title: "Accuracy (%)",
  axis: "accuracy (%)",
  percent: true,
  curves: [
    { ...TRAINING, value: (r) => times100(r.trainingAccuracy) },
    { ...VALIDATION, value: (r) => times100(r.validationAccuracy) },
  ],
};
const RATE: Panel = {
  title: "Learning rate at the epoch's end",
  axis: "learning rate",
  curves: [{ name: "learning rate", color: SERIES[2][0], symbol: "circle", value: (r) => r.learningRate }],
};

/** What was recorded at each epoch's end, and between. */
interface Records {
  readonly history: readonly EpochRecord[];
  readonly logs: readonly LogRecord[];
}

/** Symbols at each epoch where there is room for them, and always where a line has one point only. */
const MOST_SYMBOLS = 40;

const epochAxis = ({ history, logs }: Records) => ({
  type: "value" as const,
  min: logs.length ? 0 : Math.min(1, ...history.map(({ epoch }) => epoch)),
  max: Math.ceil(Math.max(history.length ? 2 : 1, ...[...history, ...logs].map(({ epoch }) => epoch))),
  minInterval: 1,
  name: "epoch",
  nameLocation: "middle" as const,
  nameGap: 28,
  ...AXIS,
  splitLine: { show: false },
});

const valueAxis = (name: string, { percent }: Panel) => ({
  type: "value" as const,
  name,
  scale: true,
  ...(percent && { max: upTo100 }),
  nameLocation: "end" as const,
  ...AXIS,
  nameTextStyle: { ...AXIS.nameTextStyle, align: "left" as const },
});

const pointsOf = (records: readonly EpochRecord[], value: Curve["value"]) =>
  records.map((record): [number, number | null] => [record.epoch, value(record) ?? null]);

/** The epochs' curves, and thin ones between epochs where there are logs. */
function seriesOf({ curves }: Panel, { history, logs }: Records, at: number): LineSeriesOption[] {
  const best = bestOf(history);
  const drawnBy = (records: readonly EpochRecord[]) => curves.filter(({ value }) => records.some((record) => value(record) !== undefined));
  const drawn = drawnBy(history);
  const between = drawnBy(logs).map(
    ({ name, color, value }): LineSeriesOption => ({
      type: "line",
      silent: true,
      name,
      xAxisIndex: at,
      yAxisIndex: at,
      data: pointsOf(logs, value),
      color,
      showSymbol: logs.length === 1,
      lineStyle: { width: 1, opacity: 0.45 },
    }),
  );
  const whole = drawn.map(
    ({ name, color, symbol, value }, i): LineSeriesOption => ({
      type: "line",
      silent: true,
      name,
      xAxisIndex: at,
      yAxisIndex: at,
      data: pointsOf(history, value),
      color,
      symbol,
      symbolSize: 6,
      itemStyle: { color },
      showSymbol: history.length <= MOST_SYMBOLS,
      ...(i === drawn.length - 1 &&
        best && {
          markLine: {
            symbol: "none",
            silent: true,
            lineStyle: { color: COLORS.axis[0], type: "dashed" },
            label: { formatter: "best", color: COLORS.ink[0], fontSize: 13 },
            data: [{ xAxis: best.epoch }],
          },
        }),
    }),
  );
  return logs.length ? [...between, ...whole] : whole;
}

const legend = { itemWidth: 24, textStyle: { color: COLORS.ink[0], fontSize: 13 } };

/** Loss and accuracy over the epochs, training and validation, the best epoch marked; logs between epochs as thin lines: an SVG picture, 960 × 400. */
export function curvesSvg(history: readonly EpochRecord[], title: string, logs: readonly LogRecord[] = []): string {
  const panels = [LOSS, ACCURACY];
  const records = { history, logs };
  const option: EChartsOption = {
    backgroundColor: COLORS.paper[0],
    title: { text: title, left: "center", top: 8, textStyle: { fontSize: 15, color: COLORS.ink[0] } },
    legend: { ...legend, bottom: 8, data: ["training", "validation"] },
    grid: [
      { left: "6%", width: "41%", top: 70, bottom: 80 },
      { left: "56%", width: "41%", top: 70, bottom: 80 },
    ],
    xAxis: panels.map((_, gridIndex) => ({ ...epochAxis(records), gridIndex })),
    yAxis: panels.map((panel, gridIndex) => ({ ...valueAxis(panel.axis, panel), gridIndex })),
    series: panels.flatMap((panel, at) => seriesOf(panel, records, at)),
  };
  return renderSvg({ width: 960, height: 400, option });
}

function panelFigure(panel: Panel, records: Records): Html {
  const { history, logs } = records;
  const series = seriesOf(panel, records, 0);
  const named = new Set(series.map(({ name }) => name)).size > 1;
  const option: EChartsOption = {
    ...(named && { legend: { ...legend, bottom: 0 } }),
    grid: { left: 4, right: 16, top: 26, bottom: named ? 30 : 4, outerBoundsMode: "same" },
    xAxis: epochAxis(records),
    yAxis: valueAxis("", panel),
    series,
  };
  const best = bestOf(history);
  const told = best ? history : logs;
  const ends = panel.curves.flatMap(({ name, value }) => {
    const [first, last] = [told[0], told.at(-1)].map((record) => record && value(record));
    return first === undefined || last === undefined ? [] : [`${name} from ${+first.toPrecision(4)} to ${+last.toPrecision(4)}`];
  });
  const over = best ? plural(history.length, "epoch") : `${plural(logs.length, "log")} within the first epoch`;
  const description = `${panel.title} over ${over}: ${ends.join(", ")}.${best ? ` The best epoch is ${best.epoch}.` : ""}`;
  return figureOf({ title: panel.title, description, chart: { ...CHART_SIZE, option } });
}

const recordTable = (caption: string, records: readonly EpochRecord[], epoch: (record: EpochRecord) => Html | string | number): Html =>
  tableOf(caption, records, [
    { heading: "epoch", numeric: true, cell: epoch },
    { heading: "training loss", numeric: true, cell: (r) => r.trainingLoss.toFixed(4) },
    { heading: "training accuracy", numeric: true, cell: (r) => percent(r.trainingAccuracy) },
    { heading: "validation loss", numeric: true, cell: (r) => r.validationLoss?.toFixed(4) ?? "–" },
    { heading: "validation accuracy", numeric: true, cell: (r) => percent(r.validationAccuracy) },
    { heading: "rate", numeric: true, cell: (r) => learningRate(r.learningRate) },
    { heading: "time", numeric: true, cell: (r) => duration(r.seconds) },
  ]);

/** How the training went: charts, and the tables of all epochs and of what was logged between. */
export function curvesSection(history: readonly EpochRecord[], logs: readonly LogRecord[] = []): Html {
  const best = bestOf(history);
  const unfinished =
    !best &&
    html`<p>No epoch was finished${logs.length ? ": the curves are of what was logged within the first" : ": there are no curves yet"}.</p>`;
  if (!best && logs.length === 0) return html`${unfinished}`;
  return html`${unfinished}<div class="figures">${[LOSS, ACCURACY, RATE].map((panel) => panelFigure(panel, { history, logs }))}</div>
<p class="note">Training loss and accuracy are means over the ${best ? "epoch" : "steps since the log before"}, each image by the weights before its step and as it was augmented; validation is by the weights after ${best ? "the epoch" : "them"}.${best && logs.length > 0 && " Thin lines are of what was logged between."}</p>
${
  best &&
  folded(
    "Every epoch as a table",
    recordTable("Every epoch", history, (r) => (r === best ? html`<strong>${r.epoch}, best</strong>` : r.epoch)),
  )
}
${
  logs.length > 0 &&
  folded(
    "Every log as a table",
    recordTable("Every log", logs, (r) => r.epoch.toFixed(2)),
  )
}`;
}
