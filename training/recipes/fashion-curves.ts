import type { Recipe } from "./recipe.ts";

interface FashionCurves {
  readonly model: string;
  readonly summary: string;
  /** The image's width and height, in pixels. */
  readonly size: number;
  readonly learningRate: number;
  readonly batchSize: number;
  /** The section of Dive into Deep Learning that it follows. */
  readonly section: string;
}

/** A network on enlarged Fashion-MNIST, pixels in [0, 1], for five epochs, of which only curves are published. */
export const fashionCurves = ({ model, summary, size, learningRate, batchSize, section }: FashionCurves): Recipe => ({
  summary: `${summary} on ${size}×${size} pixels; SGD, Xavier's initialization`,
  options: {
    model,
    data: "fashion-mnist",
    preprocess: { crop: [size, size], mean: [0], std: [1] },
    validation: 10_000,
    epochs: 5,
    batchSize,
    optimizer: "sgd",
    learningRate,
  },
  expected: [],
  source: `the experiment's published curves, in PyTorch, after Zhang et al., Dive into Deep Learning, ${section}`,
});
