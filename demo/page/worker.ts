// Everything that computes: decoding, preprocessing, the model. The page only draws.

import {
  type Classifier,
  decodeImage,
  describeDivergence,
  describeModel,
  type ForeignModel,
  heatPixels,
  type Image,
  type ImageSource,
  loadClassifier,
  nameOfView,
  parseViews,
  rgbaPixels,
  samplePictures,
  verifyModel,
  viewRectangle,
} from "../../browser.ts";
import { messageOf } from "../../core/errors.ts";
import { fetchModel } from "./fetch-model.ts";
import type { Answer, Backend, Classified, Explained, Loaded, ModelSource, Progress, Reply, Request } from "./messages.ts";

const TOP = 5;
const TOP_OF_VIEW = 3;
/** The longer side of the picture that is drawn. */
const DRAWN = 1280;

let classifier: Classifier<ImageSource> | undefined;

/** The views that are averaged over; a self-contained model has its own. */
const viewsFor = ({ metadata, views }: Classifier<ImageSource>): string => (metadata?.selfContained ? views : "five-crop");

/** A model that does not say its labels and preprocessing. */
class Foreign extends Error {
  constructor(
    name: string,
    readonly model: ForeignModel,
  ) {
    super(`${name} carries no fivecrop metadata: say its labels and preprocessing, and it is used.`);
  }
}

async function load(model: ModelSource, backend: Backend, onProgress: (progress: Progress) => void): Promise<Loaded> {
  const { bytes, cached } =
    "file" in model ? { bytes: new Uint8Array(await model.file.arrayBuffer()), cached: false } : await fetchModel(model, onProgress);
  const said = "file" in model ? model.said : undefined;
  const foreign = said ? undefined : await describeModel(bytes, model.name);
  if (foreign) throw new Foreign(model.name, foreign);
  const { labels, preprocess, outputKind } = said ?? {};
  const next = await loadClassifier(bytes, { name: model.name, device: backend, labels, preprocess, outputKind });
  try {
    const check = next.deviceCheck ?? (next.metadata?.samples?.samples.length ? await checkWebAssembly(bytes, model.name) : undefined);
    const loaded = {
      kind: "loaded",
      labels: next.labels.length,
      preprocess: next.preprocess,
      cached,
      check,
      time: await timeOf(next),
      crops: parseViews(viewsFor(next)).length,
    } as const;
    await classifier?.dispose();
    classifier = next;
    return loaded;
  } catch (error) {
    await next.dispose();
    throw error;
  }
}

/** WebGPU replays the golden samples where it is loaded. @throws Error with the numbers, where WebAssembly answers otherwise than the file says. */
async function checkWebAssembly(bytes: Uint8Array, name: string): Promise<Loaded["check"]> {
  const { divergence, views, samples, largestDifference } = await verifyModel(bytes, { name });
  if (!divergence) return { against: "golden samples", samples, largestDifference };
  const where = describeDivergence(divergence, views);
  throw new Error(
    `${name}: WebAssembly answers otherwise than the file's golden samples say, by ${largestDifference.toPrecision(2)}; first stage that diverges: ${where}.`,
  );
}

/** The better of two tries, after one that makes ready. */
async function timeOf(tried: Classifier<ImageSource>): Promise<number> {
  const [{ image }] = samplePictures();
  const times: number[] = [];
  for (let i = 0; i < 3; i++) {
    const start = performance.now();
    await tried.classify(image, { views: viewsFor(tried), top: 1 });
    times.push(performance.now() - start);
  }
  return Math.min(...times.slice(1));
}

function toBitmap(image: Image): Promise<ImageBitmap> {
  const { width, height } = image;
  const scale = Math.min(1, DRAWN / Math.max(width, height));
  const side = (length: number): number => Math.max(1, Math.round(length * scale));
  const shrunk = scale < 1 ? { resizeWidth: side(width), resizeHeight: side(height), resizeQuality: "medium" as const } : {};
  return createImageBitmap(new ImageData(rgbaPixels(image), width, height), shrunk);
}

async function decode(picture: Blob): Promise<Image> {
  const name = picture instanceof File ? picture.name : "the picture";
  return decodeImage(new Uint8Array(await picture.arrayBuffer()), name);
}

/** What spoke for the answer: of the same crops. */
async function explain(picture: Blob): Promise<Explained> {
  if (!classifier) throw new Error("No model is loaded yet: choose one first.");
  const { explanation } = await classifier.classify(await decode(picture), { views: viewsFor(classifier), top: 1, explain: true });
  if (!explanation) throw new Error("The model gave no explanation.");
  const { label, width, height } = explanation;
  return { kind: "explained", label, heat: await createImageBitmap(new ImageData(heatPixels(explanation), width, height)) };
}

async function classify(picture: Blob): Promise<Classified> {
  if (!classifier) throw new Error("No model is loaded yet: choose one first.");
  const { preprocess } = classifier;
  const start = performance.now();
  const image = await decode(picture);
  const decoded = performance.now();
  const { predictions, views: answered } = await classifier.classify(image, { views: viewsFor(classifier), top: TOP });
  const done = performance.now();
  const views = answered.length > 0 ? answered : parseViews(classifier.views).map((view) => ({ view, predictions: [] }));
  const { width, height } = image;
  return {
    kind: "classified",
    bitmap: await toBitmap(image),
    width,
    height,
    predictions,
    views: views.map(({ view, predictions: best }) => {
      const at = viewRectangle(width, height, view, preprocess);
      const rectangle = { x: at.x / width, y: at.y / height, width: at.width / width, height: at.height / height };
      return { name: nameOfView(view), rectangle, flip: view.flip, predictions: best.slice(0, TOP_OF_VIEW) };
    }),
    decodeTime: decoded - start,
    modelTime: done - decoded,
  };
}

const send = (reply: Reply, transfer: Transferable[] = []): void => self.postMessage(reply, { transfer });

type Report = (progress: Progress) => void;
const ANSWERS: { readonly [K in Request["kind"]]: (request: Extract<Request, { readonly kind: K }>, report: Report) => Promise<Answer> } = {
  load: ({ model, backend }, report) => load(model, backend, report),
  classify: ({ picture }) => classify(picture),
  explain: ({ picture }) => explain(picture),
};

const transferOf = (result: Answer): Transferable[] =>
  result.kind === "classified" ? [result.bitmap] : result.kind === "explained" ? [result.heat] : [];

async function answer(id: number, request: Request): Promise<void> {
  try {
    const result = await ANSWERS[request.kind](request as never, (progress) => send({ id, ...progress }));
    send({ id, ...result }, transferOf(result));
  } catch (error) {
    const message = messageOf(error);
    send({ id, kind: "failed", message, foreign: error instanceof Foreign ? error.model : undefined });
  }
}

/** One request after the other: a model is not replaced while it runs. */
let last: Promise<void> = Promise.resolve();
self.addEventListener("message", ({ data: { id, ...request } }: MessageEvent<{ id: number } & Request>) => {
  last = last.then(() => answer(id, request as Request));
});
