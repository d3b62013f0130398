import { random } from "../../core/random.ts";
import { type Dataset, subset } from "../../pipeline/dataset.ts";

/** One picture of so many. */
const ONE_OF = 5;

/** Of every class one picture of five, drawn by the seed, for validation; none of a class with fewer. */
export function holdOut(dataset: Dataset, seed: number): { readonly training: Dataset; readonly validation?: Dataset } {
  const held = new Set<number>();
  dataset.classNames.forEach((_, label) => {
    const own = Array.from(dataset.labels.keys()).filter((i) => dataset.labels[i] === label);
    const order = random(seed).fork("hold out", label).permutation(own.length);
    for (let i = 0; i < Math.floor(own.length / ONE_OF); i++) held.add(own[order[i]]);
  });
  if (held.size === 0) return { training: dataset };
  const all = Array.from(dataset.labels.keys());
  return {
    training: subset(
      dataset,
      all.filter((i) => !held.has(i)),
    ),
    validation: subset(
      dataset,
      all.filter((i) => held.has(i)),
    ),
  };
}
