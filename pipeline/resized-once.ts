import type { Dataset } from "./dataset.ts";
import type { Image } from "./image.ts";
import { type ResizeSpec, resizeImage } from "./preprocess.ts";

/** The same data set, its images resized as preprocessing would when they are first asked for, and kept: what is read again is small, and read once. */
export function resizedOnce(dataset: Dataset, spec: ResizeSpec): Dataset {
  const kept = new Map<number, Image | Promise<Image>>();
  const { name, classNames, length, labels } = dataset;
  return {
    name,
    classNames,
    length,
    labels,
    image(index) {
      const known = kept.get(index);
      if (known) return known;
      const image = dataset.image(index);
      const resized = "then" in image ? image.then((arrived) => resizeImage(arrived, spec)) : resizeImage(image, spec);
      kept.set(index, resized);
      return resized;
    },
  };
}
