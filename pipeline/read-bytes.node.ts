import { closeSync, openSync, readSync } from "node:fs";
import { FivecropError } from "../core/errors.ts";
import { fileReason } from "../core/file-error.ts";

/**
 * Fills `into` with a file's bytes from `position` on. No descriptor is held between calls: nothing needs to be released, in whatever thread.
 * @param what the bytes are: "record 3"
 * @param fix ends the message
 * @throws FivecropError where the file is gone, cannot be read, or is cut short.
 */
export function readBytes(path: string, position: number, into: Uint8Array, what: string, fix: string): void {
  const failed = (found: string, cause?: unknown): FivecropError =>
    new FivecropError(`${path}: expected ${into.length} bytes of ${what} from byte ${position} on, found ${found}. To fix: ${fix}`, {
      cause,
    });
  let got = 0;
  try {
    const file = openSync(path, "r");
    try {
      got = readSync(file, into, 0, into.length, position);
    } finally {
      closeSync(file);
    }
  } catch (cause) {
    throw failed(`that it cannot be read: ${fileReason(cause)}`, cause);
  }
  if (got !== into.length) throw failed(`${got}: it has become shorter`);
}
