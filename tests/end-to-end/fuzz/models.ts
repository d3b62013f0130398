import { readFileSync } from "node:fs";
import { concatenate, encodeField, encodeNumber, type Field, fieldsOf } from "../../../core/protobuf.ts";
import type { Random } from "../../../core/random.ts";
import { setWeights } from "../../../export/export-onnx.ts";
import { appendMetadata } from "../../../export/metadata.ts";
import { selfContained } from "../../../export/self-contained.ts";
import { serialize } from "../../../export/serialize.ts";
import { createNetwork } from "../../../models/architectures/index.ts";
import { initialParameters } from "../../../models/network.ts";
import { PRETRAINED } from "../../../models/pretrained.node.ts";
import { classifier } from "../../export/graphs.ts";
import { MUTATIONS, type Mutation } from "./mutate.ts";

const spec = (channels: 1 | 3, side: number) => {
  const half = Array<number>(channels).fill(0.5);
  return { resize: [side, side], filter: "bilinear", crop: [side, side], channels, mean: half, std: half } as const;
};
const labels = (count: number): string[] => Array.from({ length: count }, (_, i) => `class ${i}`);

/** Models with their metadata: networks of the table, one with all kinds of attributes, a self-contained one, the shipped one. */
export function seedModels(): readonly Uint8Array[] {
  const networks = (["fashion-cnn", "lenet-bn"] as const).map((name) => {
    const net = createNetwork(name);
    const bytes = serialize(setWeights(net.graph, initialParameters(net, 0)));
    return appendMetadata(bytes, { labels: labels(10), preprocess: spec(1, 28), outputKind: "logits" });
  });
  const small = { labels: labels(5), preprocess: spec(3, 12), outputKind: "logits" } as const;
  const mixed = appendMetadata(serialize(classifier()), small);
  const whole = selfContained(mixed, { metadata: small, views: "five-crop", name: "mixed" });
  return [mixed, mixed, ...networks, whole, readFileSync(PRETRAINED["squeezenet1.1-imagenet"])];
}

/** The fields of a message, or nothing where these bytes are none. */
function fields(bytes: Uint8Array): readonly Field[] {
  try {
    return [...fieldsOf(bytes)];
  } catch {
    return [];
  }
}

/** Whole numbers that are a wrong dimension, type, axis, padding, version, or number of something. */
const NUMBERS = [
  0,
  1,
  2,
  3,
  5,
  7,
  8,
  9,
  10,
  16,
  20,
  63,
  255,
  4096,
  65_536,
  2 ** 20,
  2 ** 31 - 1,
  2 ** 31,
  2 ** 32,
  2 ** 40,
  2 ** 53,
  -1,
  -2,
  -(2 ** 31),
];
const WORDS = [
  "",
  "Softmax",
  "Identity",
  "Reshape",
  "Conv",
  "Loop",
  "If",
  "Pad",
  "Resize",
  "Einsum",
  "TopK",
  "com.microsoft",
  "images",
  "N",
  "../x",
];

const isVarint = (bytes: Uint8Array, { start }: Field): boolean => (bytes[start] & 7) === 0;

/** A field changed, repeated, left out or moved, somewhere in the tree of messages, with right lengths all the way up: a reader comes to what it holds. */
const protobufField: Mutation = (bytes, random, other) => {
  const list = fields(bytes);
  if (list.length === 0) return MUTATIONS.flipBits(bytes.length > 0 ? bytes : Uint8Array.of(0), random, other);
  const numbers = [...new Set(list.map(({ number }) => number))];
  const wanted = numbers[random.integer(numbers.length)]; // one of a kind first: there are more labels than graphs
  const kind = list.filter(({ number }) => number === wanted);
  const field = kind[random.integer(kind.length)];
  const whole = (each: Field): Uint8Array => bytes.subarray(each.start, each.end);
  const content = bytes.subarray(field.content, field.end);
  const inside = isVarint(bytes, field) || content.length > 200_000 ? [] : fields(content);
  const replace = (by: readonly Uint8Array[]): Uint8Array => concatenate(list.flatMap((each) => (each === field ? by : [whole(each)])));
  const again = (changed: Uint8Array): Uint8Array => replace([encodeField(field.number, changed)]);
  if (inside.length > 0 && random.integer(8)) return again(protobufField(content, random, other));
  const another = whole(list[random.integer(list.length)]);
  switch (random.integer(8)) {
    case 0:
      return replace([]);
    case 1:
      return replace([whole(field), whole(field)]);
    case 2:
      return replace([another]);
    case 3:
      return replace([another, whole(field)]);
    default:
      if (isVarint(bytes, field)) return replace([encodeNumber(field.number, NUMBERS[random.integer(NUMBERS.length)])]);
      return again(random.integer(2) ? new TextEncoder().encode(WORDS[random.integer(WORDS.length)]) : changed(content, random, other));
  }
};

function changed(content: Uint8Array, random: Random, other: Uint8Array): Uint8Array {
  const { flipBits, number, noise, cut, repeat } = MUTATIONS;
  return content.length < 4 ? content.subarray(1) : [flipBits, number, noise, cut, repeat][random.integer(5)](content, random, other);
}

/** A graph in an attribute of a node of a graph in an attribute of a node …: a reader that calls itself runs out of its stack. */
const nested: Mutation = (bytes, random) => {
  const most = 1 << (6 + random.integer(11));
  let graph: Uint8Array = new Uint8Array();
  while (graph.length < most) graph = encodeField(1, encodeField(5, encodeField(6, graph)));
  return concatenate([bytes, encodeField(7, graph)]);
};

/** What may happen to a model's file: mostly inside its messages, sometimes to its bytes. */
export const MODEL_MUTATIONS: Readonly<Record<string, Mutation>> = {
  ...MUTATIONS,
  ...Object.fromEntries(Array.from({ length: 24 }, (_, i) => [`protobufField${i}`, protobufField])),
  nested,
};
