import * as echarts from "echarts";
import { COLORS } from "./colors.ts";
import { escapeHtml, folded, type Html, html, trusted } from "./html.ts";

export interface Chart {
  readonly width: number;
  readonly height: number;
  readonly option: echarts.EChartsOption;
}

/** A page's charts: as wide as their text is readable on a phone, where the picture shrinks with the page. */
export const CHART_SIZE = { width: 400, height: 270 } as const;

/** What all axes look like. */
export const AXIS = {
  axisLine: { show: true, lineStyle: { color: COLORS.axis[0] } },
  axisTick: { lineStyle: { color: COLORS.axis[0] } },
  axisLabel: { color: COLORS.ink[0], fontSize: 13, hideOverlap: true },
  splitLine: { lineStyle: { color: COLORS.grid[0] } },
  nameTextStyle: { color: COLORS.ink[0], fontSize: 13 },
} as const;

/** The end of an axis of values up to 100: without it a step of 3 leads to 102 %. `null` leaves it to the chart. */
export const upTo100 = ({ max }: { readonly max: number }): number | null => (max > 99 && max <= 100 ? 100 : null);

/** A chart as an SVG picture without scripts; its size is that of its view box. */
export function renderSvg({ width, height, option }: Chart): string {
  const chart = echarts.init(null, null, { renderer: "svg", ssr: true, width, height });
  try {
    chart.setOption({ animation: false, ...option });
    return chart.renderToSVGString({ useViewBox: true });
  } finally {
    chart.dispose();
  }
}

export interface FigureOptions {
  readonly title: string;
  /** What the picture shows, for who does not see it. */
  readonly description: string;
  readonly chart: Chart;
  /** The numbers behind it. */
  readonly table?: Html;
}

/** A chart in a page, with its numbers behind a fold. */
export function figureOf({ title, description, chart, table }: FigureOptions): Html {
  const id = title.toLowerCase().replace(/\W+/g, "-");
  const svg = renderSvg(chart)
    .replace(/ (?:pointer-events|class|ecmeta_\w+)="[^"]*"/g, "")
    .replace(/zr\d+-/g, `${id}-`) // one name for each picture in the page, the same each time
    .replace(/<style[\s\S]*?<\/style>/g, "")
    .replace(/ width="\d+" height="\d+"/, ` role="img" aria-label="${escapeHtml(description)}"`);
  return html`<figure><figcaption>${title}</figcaption>${trusted(svg)}${table && folded("Numbers", table)}</figure>`;
}
