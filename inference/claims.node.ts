import { basename, extname } from "node:path";
import { FivecropError, UsageError } from "../core/errors.ts";
import { fileReason } from "../core/file-error.ts";
import { makeDirectory } from "../core/make-directory.node.ts";

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

/** Makes the folder that an option names, where it is missing. @throws FivecropError that names the option, where it cannot be made. */
export async function makeFolder(folder: string, option: string): Promise<void> {
  try {
    await makeDirectory(folder);
  } catch (cause) {
    throw new FivecropError(
      `${option}: cannot make the directory ${folder}: ${fileReason(cause)}. To fix: choose a place that can be written.`,
      { cause },
    );
  }
}
