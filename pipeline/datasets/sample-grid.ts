import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import opentype, { type Font } from "opentype.js";
import sharp, { type OverlayOptions } from "sharp";
import { FivecropError, PictureError } from "../../core/errors.ts";
import { random } from "../../core/random.ts";
import type { Dataset } from "../dataset.ts";
import { encodePng } from "../encode.node.ts";
import { type Image, toRgb } from "../image.ts";
import { resize } from "../resize.ts";

export interface SampleGridOptions {
  /** Pictures to show. */
  readonly count: number;
  readonly seed: number;
}

/** In pixels. */
const [CELL, GAP, LABEL, TEXT, MARGIN] = [112, 10, 20, 12, 12];
/** Pictures no larger than this are enlarged by whole pixels. */
const SMALL = 48;
/** The font's files that names are drawn with, the first that has a letter. */
const SCRIPTS = ["latin", "latin-ext", "vietnamese", "greek", "cyrillic", "cyrillic-ext"];

/** Letters of one font. */
interface Run {
  readonly font: Font;
  readonly text: string;
}

/** So many images of a data set, drawn by seed: of each class in turn, as far as there are some. */
export function drawSamples({ labels, classNames, length }: Dataset, { count, seed }: SampleGridOptions): number[] {
  const order = random(seed).fork("samples").permutation(length);
  const ofClass = classNames.map(() => [] as number[]);
  for (const index of order) ofClass[labels[index]].push(index);
  const chosen: number[] = [];
  for (let round = 0; chosen.length < Math.min(count, length); round++)
    for (const indices of ofClass) if (round < indices.length && chosen.length < count) chosen.push(indices[round]);
  return chosen;
}

/** The picture to fit a cell, in its own proportions. */
function thumbnail(image: Image): Image {
  const longer = Math.max(image.width, image.height);
  const scale = longer <= SMALL ? Math.max(1, Math.floor(CELL / longer)) : CELL / longer;
  const size = { width: Math.max(1, Math.round(image.width * scale)), height: Math.max(1, Math.round(image.height * scale)) };
  return resize(toRgb(image), size, longer <= SMALL ? "nearest" : "bilinear");
}

async function readFont(script: string): Promise<Font> {
  const bytes = await readFile(createRequire(import.meta.url).resolve(`@fontsource/open-sans/files/open-sans-${script}-400-normal.woff`));
  return opentype.parse(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength));
}

/** Draws text as outlines, so that it looks alike on every machine, also on one without fonts; a letter of no font's is a question mark. */
async function createLettering(): Promise<(text: string, center: number, baseline: number, most: number) => string> {
  const fonts = await Promise.all(SCRIPTS.map(readFont));
  const runsOf = (text: string): readonly Run[] => {
    const runs: Run[] = [];
    for (const letter of text) {
      const found = fonts.find((font) => font.charToGlyphIndex(letter) !== 0);
      const { font, drawn } = found ? { font: found, drawn: letter } : { font: fonts[0], drawn: "?" };
      const before = runs.at(-1)?.font === font ? (runs.pop()?.text ?? "") : "";
      runs.push({ font, text: before + drawn });
    }
    return runs;
  };
  const widthOf = (text: string): number => runsOf(text).reduce((sum, run) => sum + run.font.getAdvanceWidth(run.text, TEXT), 0);
  return (text, center, baseline, most) => {
    let shown = text.normalize("NFC");
    while (widthOf(shown) > most) shown = `${[...shown.replace(/…$/, "")].slice(0, -1).join("")}…`;
    let x = center - widthOf(shown) / 2;
    const paths = runsOf(shown).map((run) => {
      const path = run.font.getPath(run.text, x, baseline, TEXT).toPathData(2);
      x += run.font.getAdvanceWidth(run.text, TEXT);
      return `<path d="${path}"/>`;
    });
    return paths.join("");
  };
}

export interface SampleGrid {
  readonly png: Uint8Array;
  readonly images: number;
  /** Why images that were drawn are not there. */
  readonly unreadable: readonly string[];
}

/** A grid of a data set's images with their classes' names. Those that cannot be read are left out. @throws FivecropError where that is all of them. */
export async function sampleGrid(dataset: Dataset, options: SampleGridOptions): Promise<SampleGrid> {
  const shown: { readonly image: Image; readonly name: string }[] = [];
  const unreadable: string[] = [];
  for (const index of drawSamples(dataset, options))
    try {
      shown.push({ image: thumbnail(await dataset.image(index)), name: dataset.classNames[dataset.labels[index]] });
    } catch (error) {
      if (!(error instanceof PictureError)) throw error;
      unreadable.push(error.message);
    }
  if (shown.length === 0) throw new FivecropError(`${dataset.name}: none of the images can be read. The first: ${unreadable[0]}`);
  return { png: await drawGrid(shown), images: shown.length, unreadable };
}

async function drawGrid(shown: readonly { readonly image: Image; readonly name: string }[]): Promise<Uint8Array> {
  const letter = await createLettering();
  const columns = Math.max(1, Math.min(shown.length, Math.ceil(Math.sqrt(shown.length * 1.5))));
  const rows = Math.ceil(shown.length / columns);
  const [width, height] = [columns * (CELL + GAP) - GAP + 2 * MARGIN, rows * (CELL + LABEL + GAP) - GAP + 2 * MARGIN];
  const pictures: OverlayOptions[] = [];
  const names: string[] = [];
  for (const [i, { image, name }] of shown.entries()) {
    const left = MARGIN + (i % columns) * (CELL + GAP);
    const top = MARGIN + Math.floor(i / columns) * (CELL + LABEL + GAP);
    pictures.push({
      input: Buffer.from(await encodePng(image)),
      left: left + Math.floor((CELL - image.width) / 2),
      top: top + CELL - image.height,
    });
    names.push(letter(name, left + CELL / 2, top + CELL + LABEL - 5, CELL));
  }
  const text = `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" fill="#222">${names.join("")}</svg>`;
  return sharp({ create: { width, height, channels: 3, background: "#fff" } })
    .composite([...pictures, { input: Buffer.from(text), left: 0, top: 0 }])
    .png()
    .toBuffer();
}
