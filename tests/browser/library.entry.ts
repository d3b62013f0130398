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

export type Library = typeof library;
Object.assign(globalThis, { library });
