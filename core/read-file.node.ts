import { readFile } from "node:fs/promises";
import { FivecropError } from "./errors.ts";
import { fileReason } from "./file-error.ts";

/**
 * A file's bytes.
 * @param what begins the message: "--labels: cannot read labels.txt"
 * @param mend ends it
 * @throws FivecropError where it cannot be read
 */
export async function readInput(file: string, what: string, mend: string): Promise<Uint8Array> {
  try {
    return await readFile(file);
  } catch (cause) {
    throw new FivecropError(`${what}: ${fileReason(cause)}. To fix: ${mend}.`, { cause });
  }
}

/** A model's bytes. @throws FivecropError where they cannot be read */
export const readModel = (file: string): Promise<Uint8Array> =>
  readInput(file, `cannot read the model ${file}`, "name an ONNX file that can be read, such as runs/fashion/model.onnx");
