import { type Dataset, type Split, splitDataset } from "../pipeline/dataset.ts";
import { stratifiedSplit } from "../pipeline/stratified-split.ts";
import { DEFAULTS, type RunConfig } from "./run-config.ts";

/**
 * What a run trains on, and what of it is kept for validation; a run that began before classes kept their shares goes on with its own draw.
 * @throws UsageError where a part would be empty.
 */
export function splitRun(
  whole: Dataset,
  { validation = DEFAULTS.validation, stratified = false, seed }: RunConfig,
): Split & { readonly notes: readonly string[] } {
  return stratified ? stratifiedSplit(whole, validation, seed) : { ...splitDataset(whole, validation, seed), notes: [] };
}
