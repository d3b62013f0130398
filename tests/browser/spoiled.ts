import { toBase64 } from "../../export/golden-samples.ts";
import { appendMetadata, readMetadata } from "../../export/metadata.ts";

/** The file with golden samples that its network does not answer: each class as probable as the others. */
export function withWrongSamples(carrying: Uint8Array): Uint8Array {
  const card = readMetadata(carrying)!;
  const equal = Float32Array.from(card.labels, () => 1 / card.labels.length);
  const probabilities = toBase64(new Uint8Array(equal.buffer));
  const { views, samples } = card.samples!;
  return appendMetadata(carrying, { ...card, samples: { views, samples: samples.map((sample) => ({ ...sample, probabilities })) } });
}
