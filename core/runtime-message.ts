import { messageOf } from "./errors.ts";

/** A place in ONNX Runtime's sources, and the function there: with its types, or its name alone. */
const PLACE =
  /[\w/.-]+\.(?:cc|h):\d+ (?:[\w:<>&*~, ]*?\((?:[^()]|\((?:[^()]|\([^()]*\))*\))*\) (?:const )?(?:\[with [^\]]*\] )?(?=\S)|Validate\w+ )?/g;
const CODE = /\[ONNXRuntimeError\] : \d+ : \w+ : /g;
const LONGEST = 600;

/** What ONNX Runtime says, for who uses it: on one line, without places in its sources and codes. Of a name that fills pages the beginning. */
export function runtimeMessage(thrown: unknown): string {
  const text = messageOf(thrown)
    .slice(0, 20 * LONGEST)
    .replace(PLACE, "")
    .replace(CODE, "")
    .replace(/\s+/g, " ")
    .trim();
  return text.length > LONGEST ? `${text.slice(0, LONGEST)}…` : text;
}
