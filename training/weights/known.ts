import type { SourceFile } from "../../core/download.node.ts";
import type { PreprocessSpec } from "../../pipeline/preprocess.ts";
import { PRESETS } from "../../pipeline/presets.ts";

/** Weights that are published for one of the networks. */
export interface KnownWeights {
  readonly summary: string;
  /** The architecture that they are of. */
  readonly model: string;
  readonly file: SourceFile;
  /** The page of their authors. */
  readonly home: string;
  /** What the network was trained to see. */
  readonly preprocess: PreprocessSpec;
}

const torchvision = "https://download.pytorch.org/models";
const pages = "https://docs.pytorch.org/vision/stable/models/generated/torchvision.models";

/** The hash in a name is the beginning of the file's SHA-256, as PyTorch's own downloads check it. */
export const KNOWN_WEIGHTS = {
  resnet18: {
    summary: "torchvision's ResNet-18, trained on the 1,000 classes of ImageNet",
    model: "resnet18",
    file: { url: `${torchvision}/resnet18-f37072fd.pth`, sha256: "f37072fd" },
    home: `${pages}.resnet18.html`,
    preprocess: PRESETS.imagenet,
  },
  densenet169: {
    summary: "torchvision's DenseNet-169, trained on the 1,000 classes of ImageNet",
    model: "densenet169",
    file: { url: `${torchvision}/densenet169-b2777c0a.pth`, sha256: "b2777c0a" },
    home: `${pages}.densenet169.html`,
    preprocess: PRESETS.imagenet,
  },
} satisfies Readonly<Record<string, KnownWeights>>;

/** What pretrained weights of a network expect to see, in place of a data set's own preprocessing; undefined where none are published for it. */
export const pretrainedPreprocess = (model: string): PreprocessSpec | undefined =>
  Object.values<KnownWeights>(KNOWN_WEIGHTS).find((known) => known.model === model)?.preprocess;
