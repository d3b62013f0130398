import { UsageError } from "./errors.ts";

/** @throws UsageError that names the option, where its value is no whole number of at least `from`. */
export function checkWhole(name: string, value: number, from: number): void {
  if (!(Number.isInteger(value) && value >= from))
    throw new UsageError(`${name}: expected a whole number of at least ${from}, received ${value}.`);
}
