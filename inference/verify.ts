import { FivecropError } from "../core/errors.ts";
import type { SessionMaker } from "../core/session.ts";
import { sizeOf, type Tensor } from "../core/tensor.ts";
import type { OutputKind } from "../export/metadata.ts";
import { softmax, toProbabilities } from "./probabilities.ts";

export interface VerifyOptions {
  readonly createSession: SessionMaker;
  /** Preprocessed, float32 [n, C, H, W]. */
  readonly images: Tensor;
  /** What the training engine answers, logits [n, classes]. */
  readonly expected: Tensor;
  /** The largest difference of two probabilities, 1e-4. */
  readonly tolerance?: number;
  /** What the file's output is, logits. */
  readonly outputKind?: OutputKind;
}

/**
 * Runs an exported file and compares it with the network that was trained, after softmax.
 * @throws FivecropError where a probability differs by more than the tolerance, or the outputs are not of one shape.
 */
export async function verifyExport(model: Uint8Array, options: VerifyOptions): Promise<{ readonly largestDifference: number }> {
  const { createSession, images, expected, tolerance = 1e-4, outputKind = "logits" } = options;
  const session = await createSession(model, { name: "the exported model" });
  try {
    const { [session.outputs[0].name]: found } = await session.run({ [session.inputs[0].name]: images });
    if (String(found.shape) !== String(expected.shape) || sizeOf(found.shape) === 0)
      throw new FivecropError(
        `the exported model answers [${found.shape}], the trained network [${expected.shape}]: expected one shape, not empty`,
      );
    const [count, classes] = found.shape;
    const row = ({ data }: Tensor, i: number) => (data as Float32Array).subarray(i * classes, (i + 1) * classes);
    let largestDifference = 0;
    for (let i = 0; i < count; i++) {
      const wanted = softmax(row(expected, i));
      const difference = toProbabilities(row(found, i), outputKind).reduce((worst, p, k) => Math.max(worst, Math.abs(p - wanted[k])), 0);
      if (!(difference <= tolerance))
        throw new FivecropError(
          `the exported model differs from the trained network by ${difference.toExponential(2)} in a probability of image ${i}; ` +
            `expected at most ${tolerance}. The file is not to be used.`,
        );
      largestDifference = Math.max(largestDifference, difference);
    }
    return { largestDifference };
  } finally {
    await session.dispose();
  }
}
