// Loss and accuracy by epoch, drawn while they come: what is there is moved, not made anew, so that a drawing takes a millisecond.
import type { EpochRecord } from "../../../browser.ts";
import { byId, element } from "../elements.ts";
import type { Point } from "./messages.ts";

const [WIDTH, HEIGHT] = [340, 170];
const [LEFT, RIGHT, TOP, BOTTOM] = [42, 8, 10, 24];
const SVG = "http://www.w3.org/2000/svg";
const NAMES = ["training", "validation"] as const;
const SHARES = [0, 0.5, 1] as const;

type Points = readonly (readonly [epoch: number, value: number])[];

/** One quantity: its axis, and its values in training and on the pictures that were kept back. */
interface Curves {
  readonly top: number;
  readonly format: (value: number) => string;
  readonly points: Readonly<Record<(typeof NAMES)[number], Points>>;
}

interface Chart {
  readonly figure: HTMLElement;
  draw(curves: Curves, epochs: number): void;
}

function shape(name: string, attributes: Readonly<Record<string, string | number>>): SVGElement {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, String(value));
  return made;
}

const heightOf = (share: number): number => TOP + (HEIGHT - TOP - BOTTOM) * (1 - Math.min(1, share));

function createChart(title: string): Chart {
  const svg = shape("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img" });
  for (const share of SHARES)
    svg.append(shape("line", { class: "grid", x1: LEFT, x2: WIDTH - RIGHT, y1: heightOf(share), y2: heightOf(share) }));
  const ticks = SHARES.map((share) => shape("text", { x: LEFT - 6, y: heightOf(share) + 4, "text-anchor": "end" }));
  const start = shape("text", { x: LEFT, y: HEIGHT - 6 });
  start.textContent = "0";
  const end = shape("text", { x: WIDTH - RIGHT, y: HEIGHT - 6, "text-anchor": "end" });
  const lines = NAMES.map((name) => shape("polyline", { class: name, "stroke-linecap": "round" }));
  svg.append(...ticks, start, end, ...lines);
  const caption = element("figcaption", "", `${title} `);
  const values = NAMES.map((name) => element("span", name));
  caption.append(values[0], " ", values[1]);
  const figure = element("figure", "card");
  figure.append(caption, svg);
  return {
    figure,
    draw({ top, format, points }, epochs) {
      ticks.forEach((tick, i) => {
        tick.textContent = format(SHARES[i] * top);
      });
      end.textContent = `${epochs} epochs`;
      NAMES.forEach((name, i) => {
        const at = points[name].map(([epoch, value]) => [LEFT + ((WIDTH - LEFT - RIGHT) * epoch) / epochs, heightOf(value / top)] as const);
        const drawn = at.length === 1 ? [at[0], at[0]] : at; // a single point is a dot
        lines[i].setAttribute("points", drawn.map(([x, y]) => `${x.toFixed(1)},${y.toFixed(1)}`).join(" "));
        values[i].textContent = at.length > 0 ? `${name} ${format(points[name][at.length - 1][1])}` : "";
      });
      svg.setAttribute("aria-label", `${title} by epoch: ${values.map(({ textContent }) => textContent).join(", ")}`);
    },
  };
}

const percent = (value: number): string => `${Math.round(100 * value)} %`;
let charts: readonly [accuracy: Chart, loss: Chart] | undefined;

/** Draws what there is; nothing where nothing was trained. @param live the mean over the epoch under way */
export function showCurves(history: readonly EpochRecord[], epochs: number, live: Point | undefined): void {
  const under = live && live.epoch > history.length ? [live] : [];
  const box = byId("own-curves");
  box.hidden = history.length + under.length === 0;
  if (box.hidden) return;
  if (!charts) {
    charts = [createChart("Accuracy"), createChart("Loss")];
    box.replaceChildren(...charts.map(({ figure }) => figure));
  }
  const held = history.filter(({ validationLoss }) => validationLoss !== undefined);
  const accuracy: Curves["points"] = {
    training: [
      ...history.map((one) => [one.epoch, one.trainingAccuracy] as const),
      ...under.map((one) => [one.epoch, one.accuracy] as const),
    ],
    validation: held.map((one) => [one.epoch, one.validationAccuracy ?? 0] as const),
  };
  const loss: Curves["points"] = {
    training: [...history.map((one) => [one.epoch, one.trainingLoss] as const), ...under.map((one) => [one.epoch, one.loss] as const)],
    validation: held.map((one) => [one.epoch, one.validationLoss ?? 0] as const),
  };
  const most = Math.max(0.1, ...NAMES.flatMap((name) => loss[name].map(([, value]) => value)));
  charts[0].draw({ top: 1, format: percent, points: accuracy }, epochs);
  charts[1].draw({ top: most, format: (value) => value.toFixed(2), points: loss }, epochs);
}
