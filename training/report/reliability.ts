import type { EChartsOption } from "echarts";
import { count, percent } from "../../core/text.ts";
import type { Calibration } from "../../inference/calibration.ts";
import type { Metrics } from "../../inference/tally.ts";
import { AXIS, CHART_SIZE, figureOf } from "./chart.ts";
import { COLORS, SERIES } from "./colors.ts";
import { type Html, html, tableOf } from "./html.ts";

interface Line {
  readonly name: string;
  readonly color: string;
  readonly symbol: "circle" | "diamond";
  readonly calibration: Calibration;
}

const axis = (name: string) => ({
  type: "value" as const,
  min: 0,
  max: 100,
  name,
  nameLocation: "middle" as const,
  ...AXIS,
});

/** Bins as points: mean confidence, share that is right. */
const points = ({ bins }: Calibration): (readonly [number, number])[] =>
  bins.flatMap(({ confidence, accuracy }) =>
    confidence === undefined || accuracy === undefined ? [] : [[100 * confidence, 100 * accuracy]],
  );

function diagram(lines: readonly Line[]): EChartsOption {
  return {
    legend: { bottom: 0, itemWidth: 24, textStyle: { color: COLORS.ink[0], fontSize: 13 }, data: lines.map(({ name }) => name) },
    grid: { left: 4, right: 16, top: 12, bottom: 30, outerBoundsMode: "same" },
    xAxis: { ...axis("confidence (%)"), nameGap: 26 },
    yAxis: { ...axis("right (%)"), nameGap: 34 },
    series: [
      {
        type: "line",
        silent: true,
        data: [
          [0, 0],
          [100, 100],
        ],
        showSymbol: false,
        lineStyle: { color: COLORS.axis[0], type: "dashed", width: 1.5 },
      },
      ...lines.map(({ name, color, symbol, calibration }) => ({
        type: "line" as const,
        silent: true,
        name,
        color,
        symbol,
        symbolSize: 7,
        itemStyle: { color },
        data: points(calibration).map(([x, y]) => [x, y]),
      })),
    ],
  };
}

function histogram({ bins }: Calibration): EChartsOption {
  const all = bins.reduce((sum, { images }) => sum + images, 0);
  return {
    grid: { left: 4, right: 16, top: 12, bottom: 4, outerBoundsMode: "same" },
    xAxis: {
      ...AXIS,
      type: "category",
      data: bins.map((_, i) => `${Math.round((100 * i) / bins.length)}–${Math.round((100 * (i + 1)) / bins.length)}`),
      name: "confidence (%)",
      nameLocation: "middle",
      nameGap: 26,
      axisLabel: { ...AXIS.axisLabel, interval: 2 },
    },
    yAxis: { ...AXIS, type: "value", name: "images (%)", nameLocation: "middle", nameGap: 34 },
    series: [
      {
        type: "bar",
        silent: true,
        barWidth: "90%",
        itemStyle: { color: SERIES[0][0] },
        data: bins.map(({ images }) => (100 * images) / all),
      },
    ],
  };
}

const binTable = (calibration: Calibration): Html =>
  tableOf(
    "Answers by their confidence",
    calibration.bins.map((bin, i) => ({ ...bin, from: i / calibration.bins.length, to: (i + 1) / calibration.bins.length })),
    [
      { heading: "confidence", cell: ({ from, to }) => `${percent(from, 0)} to ${percent(to, 0)}` },
      { heading: "images", numeric: true, cell: ({ images }) => count(images) },
      { heading: "mean confidence", numeric: true, cell: ({ confidence }) => percent(confidence, 1) },
      { heading: "right", numeric: true, cell: ({ accuracy }) => percent(accuracy, 1) },
    ],
  );

const errorOf = ({ calibration }: Metrics): string => percent(calibration.expectedCalibrationError);

/** Whether probabilities are what they say. @param untempered the same answers without the temperature, where there is one. */
export function reliabilitySection(metrics: Metrics, untempered: Metrics | undefined, temperature: number): Html {
  const lines: Line[] = [
    {
      name: untempered ? `with T = ${temperature.toFixed(3)}` : "this network",
      color: SERIES[0][0],
      symbol: "circle",
      calibration: metrics.calibration,
    },
    ...(untempered ? [{ name: "without", color: SERIES[1][0], symbol: "diamond" as const, calibration: untempered.calibration }] : []),
  ];
  const error = untempered ? `${errorOf(metrics)}, without the temperature ${errorOf(untempered)}` : errorOf(metrics);
  const beforeAndAfter =
    untempered &&
    tableOf(
      "Before and after calibration, on these images",
      [
        { name: "before (T = 1)", at: untempered },
        { name: `after (T = ${temperature.toFixed(4)})`, at: metrics },
      ],
      [
        { heading: "", cell: ({ name }) => name },
        { heading: "calibration error", numeric: true, cell: ({ at }) => errorOf(at) },
        { heading: "loss", numeric: true, cell: ({ at }) => at.loss.toFixed(4) },
        { heading: "top-1", numeric: true, cell: ({ at }) => percent(at.top1) },
      ],
    );
  return html`<p>Expected calibration error: <strong>${errorOf(metrics)}</strong>${untempered ? html`; before calibration ${errorOf(untempered)}` : ""}. ${
    untempered
      ? "The temperature was fitted on the validation split, and logits are divided by it before the softmax."
      : html`<code>fivecrop calibrate</code> fits a temperature to the validation split, which most often makes it smaller.`
  }</p>
${beforeAndAfter}
<div class="figures">${figureOf({
    title: "Reliability",
    description: `Reliability diagram: the share of right answers over their confidence, in ${metrics.calibration.bins.length} parts. Expected calibration error ${error}.`,
    chart: { ...CHART_SIZE, option: diagram(lines) },
    table: binTable(metrics.calibration),
  })}${figureOf({
    title: "Confidence",
    description: "How many answers have which confidence; the numbers are in the table of the reliability diagram.",
    chart: { ...CHART_SIZE, option: histogram(metrics.calibration) },
  })}</div>
<p class="note">Above the dashed line answers are more often right than their confidence says, below it less often. The error is the distance from it, averaged over all images.</p>`;
}
