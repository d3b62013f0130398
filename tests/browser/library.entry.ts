// The library in a page, for tests: its functions, with files by address and pixels as text.
import { type Device, decodeImage, loadClassifier, type PreprocessSpec, type View, verifyModel } from "../../browser.ts";
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

const library = {
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
