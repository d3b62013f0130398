import type { EChartsOption, LineSeriesOption } from "echarts";
import { bestOf, type EpochRecord } from "../progress.ts";
import { AXIS, CHART_SIZE, figureOf, upTo100 } from "./chart.ts";
import { SERIES } from "./colors.ts";
import { COMPARED, type ComparedRun, type Comparison, elapsedAt } from "./compare.ts";
import { type Html, html, pageOf, tableOf } from "./html.ts";
import { STYLE } from "./style.ts";

const SYMBOLS = ["circle", "rect", "triangle", "diamond"] as const;
const LINES = ["solid", "dashed", "dotted"] as const;
const MOST_SYMBOLS = 40;

/** What curves are drawn over. */
const ACROSS: readonly (readonly [title: string, axis: string, value: (record: EpochRecord, run: ComparedRun) => number])[] = [
  ["epochs", "epoch", ({ epoch }) => epoch],
  ["steps", "step", ({ step }) => step],
  ["time", "seconds", (record, run) => elapsedAt(run, record)],
];
const UP: readonly (readonly [title: string, value: (record: EpochRecord) => number | undefined])[] = [
  ["Validation accuracy (%)", ({ validationAccuracy }) => (validationAccuracy === undefined ? undefined : 100 * validationAccuracy)],
  ["Validation loss", ({ validationLoss }) => validationLoss],
  ["Training loss", ({ trainingLoss }) => trainingLoss],
];

/** A run's curve over its epochs, and a thin one over its logs where it has some. */
function linesOf(run: ComparedRun, i: number, x: (typeof ACROSS)[number][2], y: (typeof UP)[number][1]): LineSeriesOption[] {
  const { history, logs } = run;
  const color = SERIES[i % SERIES.length][0];
  const style = { color, type: LINES[Math.floor(i / SERIES.length) % LINES.length] } as const;
  const end = { show: true, formatter: String(i + 1), color, fontSize: 13, fontWeight: "bold" } as const;
  const points = (records: readonly EpochRecord[]) => records.map((record) => [x(record, run), y(record) ?? null]);
  const between: LineSeriesOption = {
    type: "line",
    silent: true,
    color,
    lineStyle: { ...style, width: 1, opacity: 0.45 },
    showSymbol: false,
    ...(history.length === 0 && { endLabel: end }),
    data: points(logs),
  };
  const whole: LineSeriesOption = {
    type: "line",
    silent: true,
    color,
    itemStyle: { color },
    lineStyle: style,
    symbol: SYMBOLS[i % SYMBOLS.length],
    symbolSize: 6,
    showSymbol: history.length <= MOST_SYMBOLS,
    endLabel: end,
    data: points(history),
  };
  return logs.length ? [between, whole] : [whole];
}

function figure(runs: readonly ComparedRun[], [across, axis, x]: (typeof ACROSS)[number], [title, y]: (typeof UP)[number]): Html {
  const option: EChartsOption = {
    grid: { left: 4, right: 24, top: 12, bottom: 4, outerBoundsMode: "same" },
    xAxis: {
      type: "value",
      name: axis,
      nameLocation: "middle",
      nameGap: 28,
      scale: axis !== "seconds",
      ...AXIS,
      splitLine: { show: false },
    },
    yAxis: { type: "value", scale: true, ...(title.endsWith("(%)") && { max: upTo100 }), ...AXIS },
    series: runs.flatMap((run, i) => linesOf(run, i, x, y)),
  };
  const ends = runs.map(({ run, history, logs }) => {
    const last = history.at(-1) ?? logs.at(-1);
    const value = last && y(last);
    return `${run} ends at ${value === undefined ? "nothing" : +value.toPrecision(4)}`;
  });
  return figureOf({
    title: `${title} over ${across}`,
    description: `${title} over ${across}: ${ends.join("; ")}.`,
    chart: { ...CHART_SIZE, option },
  });
}

const key = (i: number): Html => html`<span class="key series-${i % SERIES.length}" aria-hidden="true"></span> ${i + 1}`;

function epochTable(runs: readonly ComparedRun[], [title, value]: (typeof UP)[number]): Html {
  const epochs = Math.max(0, ...runs.map(({ history }) => history.length));
  return tableOf(
    `${title} after each epoch`,
    Array.from({ length: epochs }, (_, i) => i),
    [
      { heading: "epoch", numeric: true, cell: (i) => runs.find(({ history }) => history[i])?.history[i].epoch },
      ...runs.map(({ history }, k) => ({
        heading: `run ${k + 1}`,
        numeric: true,
        cell: (i: number) => {
          const found = history[i] && value(history[i]);
          if (found === undefined) return "–";
          const text = found.toFixed(title.endsWith("(%)") ? 2 : 4);
          return history[i] === bestOf(history) ? html`<strong>${text}</strong>` : text;
        },
      })),
    ],
  );
}

/** Runs beside one another as one page that needs nothing but itself. */
export function comparePage({ runs, differences, notes }: Comparison): string {
  const title = `${runs.length} runs compared`;
  const differing = tableOf("What differs in their run.json", differences, [
    { heading: "field", cell: ({ field }) => field },
    ...runs.map((_, i) => ({ heading: `run ${i + 1}`, cell: ({ values }: Comparison["differences"][number]) => values[i] ?? "–" })),
  ]);
  return pageOf({
    title: `${title} · fivecrop`,
    style: STYLE,
    content: html`<header><h1>${title}</h1>
${notes.map((note) => html`<p class="warning">${note}</p>\n`)}</header>
<main>
${tableOf(
  "Runs",
  [...runs.keys()],
  [
    { heading: "run", cell: (i) => html`${key(i)} ${runs[i].run}` },
    ...COMPARED.map(([heading, align, cell]) => ({ heading, numeric: align === "r", cell: (i: number) => cell(runs[i]) })),
  ],
)}
${differences.length ? differing : html`<p>Their run.json ask for the same.</p>`}
${UP.map(
  (up) => html`<section><h2>${up[0]}</h2>
<div class="figures">${ACROSS.map((across) => figure(runs, across, up))}</div>
<details><summary>Numbers</summary>${epochTable(runs, up)}</details></section>\n`,
)}
<p class="note">The number at a curve's end is its run's; thin lines are what it measured between epochs (--log-every). Time is training and validation, as it was on the run's machine; each run's best epoch is bold in the tables.</p>
</main>`,
  });
}
