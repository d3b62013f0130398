// An answer, drawn: the crops on the picture, each crop's top-3, the average's top-5.
import { abstains } from "../../browser.ts";
import { showBars } from "./bars.ts";
import { byId, cropsText, element } from "./elements.ts";
import type { Classified, Explained, SeenView } from "./messages.ts";

const THUMBNAIL = 112;

const colourOf = (i: number): string =>
  getComputedStyle(document.documentElement)
    .getPropertyValue(`--view-${i % 5}`)
    .trim();

function drawPicture({ bitmap, views }: Classified, chosen: number | undefined): void {
  const canvas = byId<HTMLCanvasElement>("picture");
  canvas.width = bitmap.width;
  canvas.height = bitmap.height;
  const context = canvas.getContext("2d");
  if (!context) return;
  context.drawImage(bitmap, 0, 0);
  if (why) context.drawImage(why.heat, 0, 0, bitmap.width, bitmap.height);
  if (why && chosen === undefined) return; // the crops' frames would hide it
  const line = Math.max(1, (2.5 * bitmap.width) / (canvas.clientWidth || bitmap.width));
  views.forEach(({ rectangle: { x, y, width, height } }, i) => {
    if (chosen !== undefined && chosen !== i) return;
    const inset = line * (0.5 + (chosen === undefined ? i : 0)); // rectangles that share an edge stay apart
    context.lineWidth = line;
    context.strokeStyle = colourOf(i);
    const [left, top] = [x * bitmap.width + inset, y * bitmap.height + inset];
    context.strokeRect(left, top, Math.max(line, width * bitmap.width - 2 * inset), Math.max(line, height * bitmap.height - 2 * inset));
  });
}

function thumbnail(bitmap: ImageBitmap, { rectangle: { x, y, width, height }, flip }: SeenView): HTMLCanvasElement {
  const canvas = document.createElement("canvas");
  const [w, h] = [width * bitmap.width, height * bitmap.height];
  const scale = THUMBNAIL / Math.max(w, h);
  canvas.width = Math.max(1, Math.round(w * scale));
  canvas.height = Math.max(1, Math.round(h * scale));
  canvas.setAttribute("aria-hidden", "true");
  const context = canvas.getContext("2d");
  if (flip) context?.setTransform(-1, 0, 0, 1, canvas.width, 0);
  context?.drawImage(bitmap, x * bitmap.width, y * bitmap.height, w, h, 0, 0, canvas.width, canvas.height);
  return canvas;
}

let shown: Classified | undefined;
let why: Explained | undefined;

/** Lays a heat map over the picture, in place of the one before; none takes it away. */
export function showHeat(explained: Explained | undefined): void {
  if (why !== explained) why?.heat.close();
  why = explained;
  if (shown) drawPicture(shown, undefined);
}

const abstain = byId<HTMLInputElement>("abstain");

/** Whether the answer counts as one, by the visitor's own limit. */
function showVerdict(): void {
  const below = abstain.valueAsNumber / 100;
  abstain.setAttribute("aria-invalid", String(!abstain.validity.valid || Number.isNaN(below)));
  const unsure = shown !== undefined && below > 0 && below <= 1 && abstains(shown.predictions, below);
  byId("results").classList.toggle("unsure", unsure);
  byId("verdict").textContent = unsure && shown ? `Not sure. Best guess: ${shown.predictions[0].label}` : "";
}
abstain.addEventListener("input", showVerdict);

/** Puts an answer on the page in place of the one before, whose picture is released. */
export function showResults(result: Classified): void {
  shown?.bitmap.close();
  shown = result;
  showHeat(undefined);
  byId("stage").classList.add("filled");
  byId("results").hidden = false;
  byId("picture").setAttribute(
    "aria-label",
    `The picture, ${result.width} by ${result.height} pixels, with its ${cropsText(result.views.length)}. Most probable: ${result.predictions[0].label}.`,
  );
  const [count, isSplit] = [result.views.length, result.views[0].predictions.length > 0];
  byId("average-title").textContent = count === 1 ? "What the crop shows" : `Average of ${cropsText(count)}`;
  byId("views-title").textContent = isSplit ? "Each crop alone" : "The crops, which the model itself averages over";
  showBars(byId("average"), result.predictions);
  showVerdict();
  byId("views").replaceChildren(
    ...result.views.map((view, i) => {
      const card = element("li", "view");
      card.tabIndex = 0;
      card.style.setProperty("--colour", `var(--view-${i % 5})`);
      const list = element("ol", "bars");
      showBars(list, view.predictions);
      const text = element("div", "words");
      text.append(element("h3", "", view.name.replace("-", " ")), list);
      card.append(thumbnail(result.bitmap, view), text);
      for (const event of ["pointerenter", "focus"]) card.addEventListener(event, () => drawPicture(result, i));
      for (const event of ["pointerleave", "blur"]) card.addEventListener(event, () => drawPicture(result, undefined));
      return card;
    }),
  );
  drawPicture(result, undefined);
}

matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
  if (shown) drawPicture(shown, undefined);
});
