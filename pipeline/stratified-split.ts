import { UsageError } from "../core/errors.ts";
import { random } from "../core/random.ts";
import { plural } from "../core/text.ts";
import { type Dataset, type Split, subset } from "./dataset.ts";

/** A class with fewer images is not divided: it is trained on, and what it is worth cannot be measured. */
export const FEWEST_TO_DIVIDE = 3;

export interface StratifiedSplit extends Split {
  /** What was done with classes that are too small, a sentence each. */
  readonly notes: readonly string[];
}

/**
 * Two parts in which each class has its share: of n images of a class about n · amount are drawn for validation, at least one and never all, where the
 * amount allows it. A class of fewer than three images is trained on as a whole.
 * @param amount below 1 a share of the images of the other classes, rounded; above 1 a whole number of images.
 * @throws UsageError where a part would be empty.
 */
export function stratifiedSplit(dataset: Dataset, amount: number, seed: number): StratifiedSplit {
  const { name, labels, classNames } = dataset;
  const members: number[][] = classNames.map(() => []);
  for (const index of random(seed).fork("split").permutation(dataset.length)) members[labels[index]].push(index);
  const sizes = members.map(({ length }) => (length < FEWEST_TO_DIVIDE ? 0 : length));
  const divided = sizes.filter((size) => size > 0);
  const images = divided.reduce((a, b) => a + b, 0);
  if (images === 0)
    throw new UsageError(
      `validation: expected a class of at least ${FEWEST_TO_DIVIDE} images to draw from, found none in ${name} (${plural(dataset.length, "image")} of ${plural(classNames.length, "class", "classes")}). ` +
        "To fix: add pictures, or lay out train and val folders.",
    );
  const most = images - divided.length;
  const count = amount < 1 ? Math.max(1, Math.min(most, Math.round(amount * images))) : amount;
  if (!(Number.isInteger(count) && amount > 0 && amount !== 1 && count <= most))
    throw new UsageError(
      `validation: expected a share between 0 and 1 of the ${images} images of ${name} that can be divided, or a whole number of them from 2 to ${most}, so that one of each class is left to train on; ` +
        `received ${amount}. To fix: choose another amount, such as 0.2.`,
    );
  const seats = apportion(sizes, count);
  const validation = members.flatMap((each, k) => each.slice(0, seats[k]));
  const training = members.flatMap((each, k) => each.slice(seats[k]));
  const ascending = (indices: readonly number[]): Dataset => subset(dataset, Uint32Array.from(indices).sort());
  return { training: ascending(training), validation: ascending(validation), notes: notesOn(dataset, members) };
}

/** Whole numbers in proportion to the sizes, of this sum: largest remainders, at least one for each where there are so many, one less than all at most. */
function apportion(sizes: readonly number[], count: number): number[] {
  const total = sizes.reduce((a, b) => a + b, 0);
  const quotas = sizes.map((size) => (size * count) / total);
  const least = count >= sizes.filter((size) => size > 0).length ? 1 : 0;
  const seats = sizes.map((size, k) => (size === 0 ? 0 : Math.min(size - 1, Math.max(least, Math.floor(quotas[k])))));
  let left = count - seats.reduce((a, b) => a + b, 0);
  const step = Math.sign(left);
  for (; left !== 0; left -= step) {
    const open = sizes.flatMap((size, k) => (size > 0 && (step > 0 ? seats[k] < size - 1 : seats[k] > least) ? [k] : []));
    const next = open.reduce((best, k) => (step * (quotas[k] - seats[k]) > step * (quotas[best] - seats[best]) ? k : best));
    seats[next] += step;
  }
  return seats;
}

/** How many classes are named. */
const MOST_NAMED = 10;

function notesOn({ classNames }: Dataset, members: readonly (readonly number[])[]): readonly string[] {
  const small = members.flatMap(({ length }, k) => (length > 0 && length < FEWEST_TO_DIVIDE ? [`${classNames[k]} (${length})`] : []));
  return small.length === 0
    ? []
    : [
        `${smallText(small)}, trained on but not validated on, so that no accuracy is known of ${small.length === 1 ? "it" : "them"}: ${namesOf(small)}`,
      ];
}

const smallText = ({ length }: readonly string[]): string =>
  `${plural(length, "class", "classes")} with fewer than ${FEWEST_TO_DIVIDE} pictures`;

function namesOf(small: readonly string[]): string {
  const more = small.length - MOST_NAMED;
  return `${small.slice(0, MOST_NAMED).join(", ")}${more > 0 ? ` and ${more} more` : ""}`;
}

/** The same of data that come divided: classes of so few pictures to train on, a sentence, with how many there are to validate on. */
export function smallClasses({ classNames, labels }: Dataset, validation: Dataset): readonly string[] {
  const [trained, validated] = [labels, validation.labels].map((of) => {
    const counts = new Uint32Array(classNames.length);
    for (const label of of) counts[label]++;
    return counts;
  });
  const small = classNames.flatMap((name, k) =>
    trained[k] < FEWEST_TO_DIVIDE ? [`${name} (${trained[k]}, and ${validated[k]} to validate on)`] : [],
  );
  return small.length === 0 ? [] : [`${smallText(small)} to train on: ${namesOf(small)}`];
}
