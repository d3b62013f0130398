import { basename, extname } from "node:path";
import { UsageError } from "../core/errors.ts";

/** A picture's file name without its extension. */
export const stemOf = (file: string): string => basename(file, extname(file));

/** Keeps two pictures from being written to one file. @param nameOf what is written of a picture, its name without extension where it is left out */
export function createClaims(
  message: (owner: string, file: string) => string,
  nameOf: (file: string) => string = stemOf,
): (file: string) => void {
  const owners = new Map<string, string>();
  return (file) => {
    const name = nameOf(file).toLowerCase(); // some file systems do not tell cases apart
    const owner = owners.get(name) ?? file;
    if (owner !== file) throw new UsageError(message(owner, file));
    owners.set(name, file);
  };
}
