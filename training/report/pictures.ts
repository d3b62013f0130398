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

function pictureItem({ index, truth, answer, confidence, thumbnail }: AnsweredPicture, labels: readonly string[]): Html {
  const right = truth === answer;
  const { source, width, height, pixelated } = thumbnail;
  const description = `Image ${index}: ${labels[truth]}${right ? ", recognized" : `, taken for ${labels[answer]}`}`;
  return html`<li class="${right ? "right" : "wrong"}"><img src="${source}" width="${width}" height="${height}" alt="${description}"${pixelated ? html` class="pixelated"` : ""}>
<span class="answer">${right ? "✓" : "✗"} ${labels[answer]} <small>${percent(confidence, 1)}</small></span><span class="truth">true: ${labels[truth]}</span></li>\n`;
}

/** Pictures with what was said of them, in green where it is right and in red where it is wrong. */
export const pictureGrid = (pictures: readonly AnsweredPicture[], labels: readonly string[]): Html =>
  html`<ul class="pictures">\n${pictures.map((picture) => pictureItem(picture, labels))}</ul>`;
