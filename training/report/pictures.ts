import { percent } from "../../core/text.ts";
import { type Html, html } from "./html.ts";
import type { Answered } from "./measure.ts";

/** A picture for a page. */
export interface Thumbnail {
  /** A data URL. */
  readonly source: string;
  readonly width: number;
  readonly height: number;
  /** So small that its pixels are shown as squares. */
  readonly pixelated: boolean;
}

export interface AnsweredPicture extends Answered {
  readonly thumbnail: Thumbnail;
}

/** A tick and a cross: not every font has them. */
const MARKS = { right: "M1 6.5 4.5 10 11 2.5", wrong: "M2 2 10 10M10 2 2 10" } as const;
export const markOf = (right: boolean): Html =>
  html`<svg class="mark" viewBox="0 0 12 12" role="img" aria-label="${right ? "right" : "wrong"}"><path d="${MARKS[right ? "right" : "wrong"]}"/></svg>`;

function pictureItem({ index, truth, answer, confidence, thumbnail }: AnsweredPicture, labels: readonly string[]): Html {
  const right = truth === answer;
  const { source, width, height, pixelated } = thumbnail;
  const description = `Image ${index}: ${labels[truth]}${right ? ", recognized" : `, taken for ${labels[answer]}`}`;
  return html`<li class="${right ? "right" : "wrong"}"><img src="${source}" width="${width}" height="${height}" alt="${description}"${pixelated ? html` class="pixelated"` : ""}>
<span class="answer">${markOf(right)} ${labels[answer]} <small>${percent(confidence, 1)}</small></span><span class="truth">true: ${labels[truth]}</span></li>\n`;
}

/** Pictures with what was said of them, in green where it is right and in red where it is wrong. */
export const pictureGrid = (pictures: readonly AnsweredPicture[], labels: readonly string[]): Html =>
  html`<ul class="pictures">\n${pictures.map((picture) => pictureItem(picture, labels))}</ul>`;
