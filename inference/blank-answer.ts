import { FivecropError } from "../core/errors.ts";
import type { Session } from "../core/session.ts";
import { rows, zeros } from "../core/tensor.ts";
import type { PreprocessSpec } from "../pipeline/preprocess.ts";
import { checkInput } from "./model-contract.ts";

/** What a model answers for a picture of the mean colour, a number for each class. @throws FivecropError where it takes no such picture, or is no classifier. */
export async function answerToBlank(session: Session, spec: PreprocessSpec, name: string): Promise<Float32Array> {
  const { input, output, fixedBatch = 1 } = checkInput(session, spec, name);
  const { [output]: answer } = await session.run({ [input]: zeros("float32", [fixedBatch, spec.channels, ...spec.crop]) }, [output]);
  if (answer.dtype !== "float32" || answer.shape.length !== 2)
    throw new FivecropError(
      `${name}: its output '${output}' is ${answer.dtype} [${answer.shape}], a classifier's is float32 [N,classes]. To fix: give a model that answers with a number for each class.`,
    );
  return rows(answer, 0, 1).data as Float32Array;
}
