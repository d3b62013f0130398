import { FivecropError } from "../core/errors.ts";
import type { Session } from "../core/session.ts";
import type { Tensor } from "../core/tensor.ts";
import type { Contract, Ports } from "./model-contract.ts";
import { toProbabilities } from "./probabilities.ts";

export interface RunCropsOptions {
  readonly contract: Contract;
  readonly ports: Ports;
  /** What an error's message calls the model. */
  readonly name: string;
}

/**
 * Crops through the network: float32 [n, C, H, W] → n lists of probabilities.
 * @throws FivecropError where it does not answer with a number for each label, or with none that is a probability.
 */
export async function runCrops(
  session: Session,
  crops: Tensor<"float32">,
  { contract: { labels, outputKind, temperature }, ports, name }: RunCropsOptions,
): Promise<Float64Array[]> {
  const [count] = crops.shape;
  const { [ports.output]: output } = await session.run({ [ports.input]: crops }, [ports.output]);
  if (output.shape.length !== 2 || output.shape[1] !== labels.length)
    throw new FivecropError(
      `${name}: its output is [${output.shape}], ${labels.length} labels need [N,${labels.length}]. To fix: give a label for each class.`,
    );
  const numbers = output.data as Float32Array;
  const options = { temperature, name };
  return Array.from({ length: count }, (_, i) =>
    toProbabilities(numbers.subarray(i * labels.length, (i + 1) * labels.length), outputKind, options),
  );
}
