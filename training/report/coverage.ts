import type { EChartsOption } from "echarts";
import { count, percent } from "../../core/text.ts";
import type { CoverageRow } from "../../inference/coverage.ts";
import { AXIS, CHART_SIZE, figureOf } from "./chart.ts";
import { COLORS, SERIES } from "./colors.ts";
import { type Html, html, tableOf } from "./html.ts";

const axis = (name: string) => ({ type: "value" as const, name, nameLocation: "middle" as const, scale: true, ...AXIS });

interface Line {
  readonly name: string;
  readonly data: (readonly [x: number, y: number])[];
  readonly symbol?: "circle" | "diamond";
}

const diagram = (x: string, y: string, lines: readonly Line[]): EChartsOption => ({
  ...(lines.length > 1 && {
    legend: { bottom: 0, itemWidth: 24, textStyle: { color: COLORS.ink[0], fontSize: 13 }, data: lines.map(({ name }) => name) },
  }),
  grid: { left: 4, right: 16, top: 12, bottom: lines.length > 1 ? 30 : 4, outerBoundsMode: "same" },
  xAxis: { ...axis(x), min: 0, max: 100, nameGap: 26 },
  yAxis: { ...axis(y), max: 100, nameGap: 34 },
  series: lines.map(({ name, data, symbol = "circle" }, k) => ({
    type: "line" as const,
    silent: true,
    name,
    color: SERIES[k][0],
    itemStyle: { color: SERIES[k][0] },
    symbol,
    symbolSize: 6,
    data: data.map(([a, b]) => [a, b]),
  })),
});

/** The smallest of the probabilities at which the lower end of the interval reaches this share. */
const reaching = (rows: readonly CoverageRow[], share: number): CoverageRow | undefined =>
  rows.find(({ interval }) => interval !== undefined && interval[0] >= share);

/** What it answers, and how well, where answers below a probability are "not sure". */
export function coverageSection(rows: readonly CoverageRow[]): Html {
  const answered = rows.filter(({ accuracy }) => accuracy !== undefined);
  const points = (x: (row: CoverageRow) => number, y: (row: CoverageRow) => number | undefined) =>
    answered.map((row) => [100 * x(row), 100 * (y(row) ?? 0)] as const);
  const [all] = rows;
  const examples = [0.9, 0.95, 0.99].flatMap((share) => {
    const row = all.interval && all.interval[0] >= share ? undefined : reaching(rows, share);
    return row
      ? [
          html`<li>To be right on at least ${percent(share, 0)}: <code>--abstain-below ${row.below}</code> answers ${percent(row.coverage, 1)}, of which ${percent(row.accuracy, 1)} are right.</li>\n`,
        ]
      : [];
  });
  const table = tableOf("Answers that are given", rows, [
    { heading: "not sure below", cell: ({ below }) => percent(below, below > 0.99 ? 1 : 0) },
    { heading: "answered", numeric: true, cell: ({ images }) => count(images) },
    { heading: "coverage", numeric: true, cell: ({ coverage }) => percent(coverage, 1) },
    { heading: "right of these", numeric: true, cell: ({ accuracy }) => percent(accuracy, 1) },
    {
      heading: "95 % interval",
      numeric: true,
      cell: ({ interval }) => (interval ? `${percent(interval[0], 1)} to ${percent(interval[1], 1)}` : "–"),
    },
  ]);
  return html`<p><code>--abstain-below P</code> of <code>infer</code> and <code>evaluate</code>, and a field of the page, leave unanswered what is less probable than P: fewer answers, and more of them right where the lines below rise.</p>
${examples.length > 0 && html`<ul>${examples}</ul>`}
<div class="figures">${figureOf({
    title: "Accuracy over coverage",
    description: `The share of right answers over the share of images that are answered: of all ${percent(all.accuracy, 1)} are right. The numbers are in the table.`,
    chart: {
      ...CHART_SIZE,
      option: diagram("answered (%)", "right of these (%)", [
        {
          name: "accuracy",
          data: points(
            ({ coverage }) => coverage,
            ({ accuracy }) => accuracy,
          ),
        },
        {
          name: "95 %: at least",
          symbol: "diamond",
          data: points(
            ({ coverage }) => coverage,
            ({ interval }) => interval?.[0],
          ),
        },
      ]),
    },
    table,
  })}${figureOf({
    title: "What P does",
    description:
      "The share of images that are answered, and the share of these that is right, over the probability below which there is no answer.",
    chart: {
      ...CHART_SIZE,
      option: diagram("not sure below (%)", "images (%)", [
        {
          name: "answered",
          data: points(
            ({ below }) => below,
            ({ coverage }) => coverage,
          ),
        },
        {
          name: "right of these",
          symbol: "diamond",
          data: points(
            ({ below }) => below,
            ({ accuracy }) => accuracy,
          ),
        },
      ]),
    },
  })}</div>
${examples.length > 0 && html`<p class="note">Each example takes the first probability at which the lower end of the 95 % interval reaches the aim, on the images measured here; on others it may be less.</p>`}`;
}
