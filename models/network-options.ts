import { UsageError } from "../core/errors.ts";
import type { NetworkOptions } from "./architectures/index.ts";
import type { Head } from "./layers/head.ts";

const wholeNumbers = (text: string, separator: RegExp): number[] | undefined => {
  const parts = text.split(separator);
  return parts.every((part) => /^[1-9]\d*$/.test(part)) ? parts.map(Number) : undefined;
};

/** `512,256` → the units of each hidden layer; `none` has none. @throws UsageError */
export function parseHead(text: string): readonly number[] {
  const units = text === "none" ? [] : wholeNumbers(text, /,/);
  if (!units) throw new UsageError(`--head: expected the units of each hidden layer, such as 512,256, or none, received '${text}'.`);
  return units;
}

/** `3x64x64` → [C, H, W]. @throws UsageError */
export function parseInput(text: string): readonly [number, number, number] {
  const sizes = wholeNumbers(text, /[x×]/);
  if (sizes?.length !== 3) throw new UsageError(`--input: expected channels, height and width, such as 3x64x64, received '${text}'.`);
  return sizes as [number, number, number];
}

/** A head by its two options. @throws UsageError where dropout comes without hidden layers. */
export function headOf(hidden: readonly number[] | undefined, dropout: number | undefined): Pick<NetworkOptions, "head"> {
  if (hidden === undefined && dropout !== undefined)
    throw new UsageError("--dropout: it belongs to the hidden layers of --head. To fix: name their units too, such as --head 512,256.");
  return hidden === undefined ? {} : { head: { hidden, ...(dropout !== undefined && { dropout }) } satisfies Head };
}
