// The library in a page, for tests: its functions, with files by address and pixels as text.
import { type Device, decodeImage, FivecropError, loadClassifier, type PreprocessSpec, type View, verifyModel } from "../../browser.ts";
import { contractOf } from "../../inference/model-contract.ts";
import { resizedSize } from "../../pipeline/geometry.ts";
import type { Image } from "../../pipeline/image.ts";
import { type Filter, resize } from "../../pipeline/resize.ts";
import { viewImage } from "../../pipeline/views.ts";

const bytesAt = async (url: string): Promise<Uint8Array> => new Uint8Array(await (await fetch(url)).arrayBuffer());

const portable = ({ width, height, channels, data }: Image) => {
  let text = "";
  for (let i = 0; i < data.length; i += 8192) text += String.fromCharCode(...data.subarray(i, i + 8192));
  return { width, height, channels, base64: btoa(text) };
};

const bytesOf = (base64: string): Uint8Array => Uint8Array.from(atob(base64), (c) => c.charCodeAt(0));

/** What came of reading one file: nothing where it was read; else the error's message, and whether it is one of ours. */
export interface Reading {
  readonly refused?: { readonly isOurs: boolean; readonly message: string };
  readonly milliseconds: number;
}

const READERS = {
  picture: (bytes: Uint8Array, name: string) => decodeImage(bytes, name),
  model: async (bytes: Uint8Array, name: string) => contractOf(bytes, {}, name),
};

async function read(kind: keyof typeof READERS, base64: string, name: string): Promise<Reading> {
  const bytes = bytesOf(base64);
  const start = performance.now();
  try {
    await READERS[kind](bytes, name);
    return { milliseconds: performance.now() - start };
  } catch (error) {
    const refused = { isOurs: error instanceof FivecropError, message: error instanceof Error ? error.message : String(error) };
    return { refused, milliseconds: performance.now() - start };
  }
}

const library = {
  /** Each file in its turn, in this one page. */
  read: async (kind: keyof typeof READERS, files: readonly (readonly [name: string, base64: string])[]): Promise<Reading[]> => {
    const readings: Reading[] = [];
    for (const [name, base64] of files) readings.push(await read(kind, base64, name));
    return readings;
  },
  canvas: (modelUrl: string) => canvasAnswers(modelUrl),
  decode: async (url: string, maxPixels?: number) => portable(await decodeImage(await bytesAt(url), url, { maxPixels })),
  resize: async (url: string, size: number | [number, number], filter: Filter) => {
    const image = await decodeImage(await bytesAt(url), url);
    return portable(resize(image, resizedSize(image, size), filter));
  },
  view: async (url: string, view: View, spec: PreprocessSpec) =>
    portable(viewImage(await decodeImage(await bytesAt(url), url), view, spec)),
  verify: async (modelUrl: string, device: Device) => verifyModel(await bytesAt(modelUrl), { device }),
  check: async (modelUrl: string, device: Device) => {
    const classifier = await loadClassifier(await bytesAt(modelUrl), { device, name: "m.onnx" });
    await classifier.dispose();
    return classifier.deviceCheck;
  },
  classify: async (modelUrl: string, urls: readonly string[], views: string, device?: Device) => {
    const classifier = await loadClassifier(await (await fetch(modelUrl)).blob(), { device });
    const answers = await Promise.all(
      urls.map(async (url, i) => {
        const blob = await (await fetch(url)).blob();
        return classifier.classify(i % 2 ? new File([blob], url) : blob, { views });
      }),
    );
    await classifier.dispose();
    return answers.map(({ probabilities }) => [...probabilities]);
  },
};

/** A half transparent canvas's pixels, and the same as RGB on white. */
const canvasAnswers = async (modelUrl: string) => {
  const context = new OffscreenCanvas(40, 30).getContext("2d") as OffscreenCanvasRenderingContext2D;
  context.fillStyle = "rgb(200 40 90)";
  context.fillRect(0, 0, 17, 30);
  const pixels = context.getImageData(0, 0, 40, 30);
  const data = new Uint8Array(40 * 30 * 3).fill(255);
  for (let i = 0; i < 40 * 30; i++) if (pixels.data[4 * i + 3]) data.set(pixels.data.subarray(4 * i, 4 * i + 3), 3 * i);
  const classifier = await loadClassifier(await bytesAt(modelUrl));
  const answers = await classifier.classifyBatch([pixels, { width: 40, height: 30, channels: 3, data }]);
  await classifier.dispose();
  return answers.map(({ probabilities }) => [...probabilities]);
};

export type Library = typeof library;
Object.assign(globalThis, { library });
