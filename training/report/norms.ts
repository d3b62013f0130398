import type { EChartsOption } from "echarts";
import type { Tensor } from "../../core/tensor.ts";
import { count } from "../../core/text.ts";
import type { Graph } from "../../models/graph/graph.ts";
import { AXIS, CHART_SIZE, figureOf } from "./chart.ts";
import { COLORS, SERIES } from "./colors.ts";
import { folded, type Html, html, tableOf } from "./html.ts";

/** The learned scale (γ) and shift (β) of a norm layer, a number for each channel. */
export interface NormLayer {
  readonly name: string;
  readonly scale: Float32Array;
  readonly shift: Float32Array;
}

/** The batch norms of a network, in their order, with their trained weights. */
export function normLayers(graph: Graph, weights: Readonly<Record<string, Tensor<"float32">>>): NormLayer[] {
  return graph.nodes.flatMap(({ op, name, inputs: [, scale, shift] }) => {
    const [gamma, beta] = [scale, shift].map((value) => value && weights[value.name]?.data);
    return op === "BatchNormalization" && gamma && beta ? [{ name, scale: gamma, shift: beta }] : [];
  });
}

/** Least, first quartile, median, third quartile, largest. */
type Spread = readonly [least: number, lower: number, median: number, upper: number, largest: number];

/** @param values at least one */
export function spreadOf(values: Float32Array): Spread {
  const sorted = values.slice().sort();
  const at = (share: number): number => {
    const place = share * (sorted.length - 1);
    const below = Math.floor(place);
    const above = Math.min(below + 1, sorted.length - 1);
    return sorted[below] + (place - below) * (sorted[above] - sorted[below]);
  };
  return [at(0), at(0.25), at(0.5), at(0.75), at(1)];
}

const ROW = 22;
/** More layers than that are behind a fold. */
const MOST_SHOWN = 40;
const LONGEST_NAME = 18;
const shortName = (name: string): string => (name.length > LONGEST_NAME ? `…${name.slice(1 - LONGEST_NAME)}` : name);

function boxes(layers: readonly NormLayer[], part: "scale" | "shift"): EChartsOption {
  return {
    grid: { left: 8, right: 20, top: 4, bottom: 8, outerBoundsMode: "same" },
    xAxis: { type: "value", scale: true, position: "top", ...AXIS },
    yAxis: {
      type: "category",
      inverse: true,
      data: layers.map((_, i) => i),
      ...AXIS,
      axisLabel: { ...AXIS.axisLabel, interval: 0, hideOverlap: false, formatter: (_: string, i: number) => shortName(layers[i].name) },
      splitLine: { show: true, lineStyle: { color: COLORS.grid[0] } },
    },
    series: [
      {
        type: "boxplot",
        silent: true,
        boxWidth: [6, 12],
        itemStyle: { color: COLORS.soft[0], borderColor: SERIES[0][0], borderWidth: 1.5 },
        data: layers.map((layer) => [...spreadOf(layer[part])]),
      },
    ],
  };
}

/** A channel whose scale is smaller passes hardly anything on. */
const SMALL = 0.01;
const digits = (value: number): string => value.toFixed(3);
const middle = ([, lower, median, upper]: Spread): string => `${digits(lower)}, ${digits(median)}, ${digits(upper)}`;

/** What each norm layer learned. */
export function normsSection(layers: readonly NormLayer[]): Html {
  const height = Math.max(CHART_SIZE.height / 3, 56 + ROW * layers.length);
  const figure = (part: "scale" | "shift", letter: string): Html =>
    figureOf({
      title: `${part === "scale" ? "Scale" : "Shift"} (${letter})`,
      description: `The spread of the ${part} over the channels of each of ${layers.length} norm layers; the numbers are in the table below.`,
      chart: { width: CHART_SIZE.width, height, option: boxes(layers, part) },
    });
  const rows = layers.map(({ name, scale, shift }) => ({ name, scale, scales: spreadOf(scale), shifts: spreadOf(shift) }));
  const table = tableOf("Norm layers", rows, [
    { heading: "layer", cell: ({ name }) => name },
    { heading: "channels", numeric: true, cell: ({ scale }) => count(scale.length) },
    { heading: "scale: least", numeric: true, cell: ({ scales }) => digits(scales[0]) },
    { heading: "quartiles", numeric: true, cell: ({ scales }) => middle(scales) },
    { heading: "largest", numeric: true, cell: ({ scales }) => digits(scales[4]) },
    { heading: `|scale| < ${SMALL}`, numeric: true, cell: ({ scale }) => count(scale.filter((x) => Math.abs(x) < SMALL).length) },
    { heading: "shift: least", numeric: true, cell: ({ shifts }) => digits(shifts[0]) },
    { heading: "quartiles", numeric: true, cell: ({ shifts }) => middle(shifts) },
    { heading: "largest", numeric: true, cell: ({ shifts }) => digits(shifts[4]) },
  ]);
  const figures = html`<div class="figures">${figure("scale", "γ")}${figure("shift", "β")}</div>`;
  return html`${layers.length <= MOST_SHOWN ? figures : folded(`${layers.length} norm layers as charts`, figures)}
<p class="note">Over the channels of a layer: from the least to the largest number, the box from the first to the third quartile, the line at the median. Training starts at scale 1 and shift 0.</p>
<details><summary>Norm layers as a table</summary>${table}</details>`;
}
