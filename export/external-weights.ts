import { fieldsOf } from "../core/protobuf.ts";
import { entryOf } from "./metadata.ts";

/** Where tensors are in a ModelProto: graph.initializer, and graph.node.attribute.t. */
const TENSORS = [
  [7, 5],
  [7, 1, 5, 5],
];
const EXTERNAL_DATA = 13;
const DATA_LOCATION = 14;
const EXTERNAL = 1;

/**
 * The file that holds weights of an ONNX model beside it, by the name that the model says; `undefined` where all are inside.
 * @throws FivecropError where the bytes are no protocol buffers message.
 * @see https://github.com/onnx/onnx/blob/main/docs/ExternalData.md
 */
export function externalWeights(model: Uint8Array): string | undefined {
  for (const path of TENSORS)
    for (const tensor of messagesAt(model, path)) {
      const fields = Array.from(fieldsOf(tensor));
      if (!fields.some(({ number, content }) => number === DATA_LOCATION && tensor[content] === EXTERNAL)) continue;
      const entries = fields.filter(({ number }) => number === EXTERNAL_DATA);
      return new Map(entries.map(({ content, end }) => entryOf(tensor.subarray(content, end)))).get("location") ?? "";
    }
  return undefined;
}

function* messagesAt(bytes: Uint8Array, [first, ...rest]: readonly number[]): Generator<Uint8Array, void, undefined> {
  for (const { number, content, end } of fieldsOf(bytes)) {
    if (number !== first) continue;
    const inner = bytes.subarray(content, end);
    if (rest.length === 0) yield inner;
    else yield* messagesAt(inner, rest);
  }
}
