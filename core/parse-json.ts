import { messageOf, UsageError } from "./errors.ts";

/** @param what messages call the text @throws UsageError that shows the text's beginning, where it is no JSON. */
export function parseJson(text: string, what: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new UsageError(`${what}: expected JSON, found ${JSON.stringify(text.slice(0, 40))} (${messageOf(cause)}).`, { cause });
  }
}
