// Loss and accuracy by epoch, drawn while they come.
import type { EpochRecord } from "../../../browser.ts";
import { byId, element } from "../elements.ts";
import type { Point } from "./messages.ts";

const [WIDTH, HEIGHT] = [340, 170];
const [LEFT, RIGHT, TOP, BOTTOM] = [42, 8, 10, 24];
const SVG = "http://www.w3.org/2000/svg";

interface Series {
  readonly name: string;
  readonly className: string;
  readonly points: readonly (readonly [epoch: number, value: number])[];
}

interface Chart {
  readonly title: string;
  readonly top: number;
  readonly format: (value: number) => string;
  readonly series: readonly Series[];
}

function shape(name: string, attributes: Readonly<Record<string, string | number>>, text = ""): SVGElement {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, String(value));
  made.textContent = text;
  return made;
}

function draw({ title, top, format, series }: Chart, epochs: number): HTMLElement {
  const x = (epoch: number): number => LEFT + ((WIDTH - LEFT - RIGHT) * epoch) / epochs;
  const y = (value: number): number => TOP + (HEIGHT - TOP - BOTTOM) * (1 - Math.min(1, value / top));
  const latest = series.flatMap(({ name, points }) => (points.length ? [`${name} ${format(points[points.length - 1][1])}`] : []));
  const svg = shape("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img", "aria-label": `${title} by epoch: ${latest.join(", ")}` });
  for (const share of [0, 0.5, 1]) {
    svg.append(shape("line", { class: "grid", x1: LEFT, x2: WIDTH - RIGHT, y1: y(share * top), y2: y(share * top) }));
    svg.append(shape("text", { x: LEFT - 6, y: y(share * top) + 4, "text-anchor": "end" }, format(share * top)));
  }
  svg.append(shape("text", { x: LEFT, y: HEIGHT - 6 }, "0"));
  svg.append(shape("text", { x: WIDTH - RIGHT, y: HEIGHT - 6, "text-anchor": "end" }, `${epochs} epochs`));
  for (const { className, points } of series)
    if (points.length === 1) svg.append(shape("circle", { class: className, cx: x(points[0][0]), cy: y(points[0][1]), r: 2.5 }));
    else
      svg.append(
        shape("polyline", { class: className, points: points.map(([e, v]) => `${x(e).toFixed(1)},${y(v).toFixed(1)}`).join(" ") }),
      );
  const figure = element("figure");
  const caption = element("figcaption");
  caption.append(`${title} `);
  for (const { name, className, points } of series)
    if (points.length) caption.append(element("span", className, `${name} ${format(points[points.length - 1][1])}`), " ");
  figure.append(caption, svg);
  return figure;
}

const percent = (value: number): string => `${Math.round(100 * value)} %`;

/** Draws what there is, in place of what was drawn before; nothing where nothing was trained. @param live the mean over the epoch under way */
export function showCurves(history: readonly EpochRecord[], epochs: number, live: Point | undefined): void {
  const under = live && live.epoch > history.length ? live : undefined;
  const validation = history.filter(({ validationLoss }) => validationLoss !== undefined);
  const training = (of: "trainingLoss" | "trainingAccuracy", now: number | undefined): Series => ({
    name: "training",
    className: "training",
    points: [
      ...history.map((record) => [record.epoch, record[of]] as const),
      ...(under && now !== undefined ? [[under.epoch, now] as const] : []),
    ],
  });
  const held = (of: "validationLoss" | "validationAccuracy"): Series => ({
    name: "validation",
    className: "validation",
    points: validation.map((record) => [record.epoch, record[of] ?? 0] as const),
  });
  const accuracy = [training("trainingAccuracy", under?.accuracy), held("validationAccuracy")];
  const loss = [training("trainingLoss", under?.loss), held("validationLoss")];
  const most = Math.max(0.1, ...loss.flatMap(({ points }) => points.map(([, value]) => value)));
  const charts: readonly Chart[] = [
    { title: "Accuracy", top: 1, format: percent, series: accuracy },
    { title: "Loss", top: most, format: (value) => value.toFixed(2), series: loss },
  ];
  byId("own-curves").replaceChildren(...(accuracy[0].points.length > 0 ? charts.map((chart) => draw(chart, epochs)) : []));
}
