import { concatenate, encodeField, encodeNumber } from "./protobuf.ts";
import type { Tensor } from "./tensor.ts";

/**
 * The binding of onnxruntime-node lets a graph compute into the tensors that `run` is given for its results, then copies every result once more into a new
 * array, in the order of the outputs, for the object that it returns. To a training step, whose results are all of its variables, that is a quarter of its
 * time on AlexNet. For a sequence the binding has no array: it throws, and what is behind it is not copied. So the graph's first output is an empty sequence.
 * @see https://github.com/microsoft/onnxruntime/pull/32346 the change to the binding that will copy none of them
 */
export const SEQUENCE = "uncopied-results";

const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);

/** @see https://github.com/onnx/onnx/blob/main/onnx/onnx.proto the numbers of the fields */
const GRAPH_WITH_SEQUENCE = encodeField(
  7, // ModelProto.graph; fields of a message that comes in two parts are merged, repeated ones joined in their order
  concatenate([
    encodeField(1, concatenate([encodeField(2, utf8(SEQUENCE)), encodeField(4, utf8("SequenceEmpty"))])), // node: output, op_type
    encodeField(
      12,
      concatenate([encodeField(1, utf8(SEQUENCE)), encodeField(2, encodeField(4, encodeField(1, encodeField(1, encodeNumber(1, 1)))))]),
    ), // output: name, type: a sequence of float tensors
  ]),
);

/** The same graph with an empty sequence before its other outputs. */
export const withSequenceFirst = (model: Uint8Array): Uint8Array => concatenate([GRAPH_WITH_SEQUENCE, model]);

/** Whether the binding's message says that it came to the sequence: everything has been computed. */
export const cameToSequence = (message: string): boolean => message.includes("Non tensor type");

/** A number that no computation gives: a NaN with bits of its own. */
const UNWRITTEN = 0x7fc0_5e9f;
const bitsOf = ({ data }: Tensor<"float32">): Uint32Array => new Uint32Array(data.buffer, data.byteOffset, 1);

/** Marks a tensor. @returns whether it has been written into since */
export function watchWrites(result: Tensor<"float32">): () => boolean {
  const bits = bitsOf(result);
  bits[0] = UNWRITTEN;
  return () => bits[0] !== UNWRITTEN;
}
