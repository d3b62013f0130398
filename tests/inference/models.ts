import { random } from "../../core/random.ts";
import { createSession } from "../../core/session.node.ts";
import { tensor } from "../../core/tensor.ts";
import { appendMetadata, type ModelMetadata } from "../../export/metadata.ts";
import { serialize } from "../../export/serialize.ts";
import { type Classifier, type ClassifierOptions, createClassifier, type Platform } from "../../inference/classifier.ts";
import type { Dimension } from "../../models/graph/graph.ts";
import { graphBuilder } from "../../models/ops/index.ts";
import { decodeImage } from "../../pipeline/decode.node.ts";
import { createImage, type Image } from "../../pipeline/image.ts";

export const SIDE = 8;
export const LABELS = ["left", "right", "top", "bottom"];

/** A classifier's platform in this thread; pictures are images. */
export const HERE: Platform<Image> = {
  createSession,
  toImage: (image) => image,
  decode: (file, name) => decodeImage(file, name),
  processor: "cpu",
};

export const load = (bytes: Uint8Array, options?: ClassifierOptions): Promise<Classifier<Image>> =>
  createClassifier<Image>(bytes, HERE, options);

/** Loads, asks, disposes. */
export async function using<T>(
  bytes: Uint8Array,
  ask: (classifier: Awaited<ReturnType<typeof load>>) => Promise<T>,
  options?: ClassifierOptions,
): Promise<T> {
  const classifier = await load(bytes, options);
  try {
    return await ask(classifier);
  } finally {
    await classifier.dispose();
  }
}

export const metadata: ModelMetadata = {
  labels: LABELS,
  preprocess: { resize: [SIDE, SIDE], filter: "bilinear", crop: [SIDE, SIDE], channels: 1, mean: [0.5], std: [0.25] },
  outputKind: "logits",
};

/** A linear classifier of gray 8×8 pictures that answers which half is brighter: logits [batch, 4], or what a last layer makes of them. */
export function model(batch: Dimension = "N", ...last: readonly ("Softmax" | "LogSoftmax" | "Exp")[]): Uint8Array {
  const g = graphBuilder();
  const images = g.input("images", "float32", [batch, 1, SIDE, SIDE]);
  const weight = new Float32Array(4 * SIDE * SIDE);
  for (let y = 0; y < SIDE; y++)
    for (let x = 0; x < SIDE; x++) {
      const inside = [x < SIDE / 2, x >= SIDE / 2, y < SIDE / 2, y >= SIDE / 2];
      inside.forEach((yes, k) => {
        weight[(k * SIDE + y) * SIDE + x] = yes ? 0.05 : -0.05;
      });
    }
  const logits = g.add(
    "Gemm",
    [g.add("Flatten", [images]), g.initializer("weight", tensor("float32", [4, SIDE * SIDE], weight))],
    { transB: 1 },
    "logits",
  );
  return serialize(g.build("halves", [last.reduce((x, op) => g.add(op, [x], {}, op), logits)]));
}

/** Answers twice: with a number for each class, and with the pictures' pixels in a row. */
export function twoOutputs(): Uint8Array {
  const g = graphBuilder();
  const pixels = g.add("Flatten", [g.input("images", "float32", ["N", 1, SIDE, SIDE])], {}, "pixels");
  const weight = g.initializer("weight", tensor("float32", [SIDE * SIDE, 4], new Float32Array(4 * SIDE * SIDE)));
  return serialize(g.build("two", [g.add("Gemm", [pixels, weight], {}, "logits"), pixels]));
}

export const withMetadata = (bytes: Uint8Array, changes: Partial<ModelMetadata> = {}): Uint8Array =>
  appendMetadata(bytes, { ...metadata, ...changes });

export const colourPreprocess = { ...metadata.preprocess, channels: 3, mean: [0.5, 0.5, 0.5], std: [0.25, 0.25, 0.25] } as const;

/** The same for colour pictures: it sums the three channels. */
export function colourModel(): Uint8Array {
  const g = graphBuilder();
  const images = g.input("images", "float32", ["N", 3, SIDE, SIDE]);
  const weight = Float32Array.from({ length: 4 * 3 * SIDE * SIDE }, (_, i) => {
    const [k, at] = [Math.floor(i / (3 * SIDE * SIDE)), i % (SIDE * SIDE)];
    const [x, y] = [at % SIDE, Math.floor(at / SIDE)];
    return [x < SIDE / 2, x >= SIDE / 2, y < SIDE / 2, y >= SIDE / 2][k] ? 0.02 : -0.02;
  });
  const logits = g.add("Gemm", [g.add("Flatten", [images]), g.initializer("weight", tensor("float32", [4, 3 * SIDE * SIDE], weight))], {
    transB: 1,
  });
  return appendMetadata(serialize(g.build("halves", [logits])), { ...metadata, preprocess: colourPreprocess });
}

/** A noisy picture, brighter in the half of class k. */
export function picture(k: number, seed = 0, width = 12, height = 10): Image {
  const source = random(seed);
  const data = new Uint8Array(width * height);
  for (let i = 0; i < data.length; i++) {
    const [x, y] = [i % width, Math.floor(i / width)];
    const inside = [x < width / 2, x >= width / 2, y < height / 2, y >= height / 2][k];
    data[i] = source.integer(120) + (inside ? 90 : 0);
  }
  return createImage(width, height, 1, data);
}

export const BRIGHTNESS = ["bright", "dark"];

/** A convolutional classifier of gray 8×8 pictures that answers whether they are bright or dark: the means of what is above and of what is below middle gray. */
export function brightnessModel(batch: Dimension = "N"): Uint8Array {
  const g = graphBuilder();
  const images = g.input("images", "float32", [batch, 1, SIDE, SIDE]);
  const kernels = g.initializer("kernels", tensor("float32", [2, 1, 1, 1], Float32Array.of(1, -1)));
  const map = g.add("Relu", [g.add("Conv", [images, kernels], { kernel_shape: [1, 1] }, "signs")], {}, "map");
  const logits = g.add("Flatten", [g.add("GlobalAveragePool", [map], {}, "means")], {}, "logits");
  return appendMetadata(serialize(g.build("brightness", [logits])), { ...metadata, labels: BRIGHTNESS });
}
