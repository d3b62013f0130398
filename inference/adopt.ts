import { FivecropError, namingFile, UsageError } from "../core/errors.ts";
import type { SessionMaker } from "../core/session.ts";
import { appendMetadata, type ModelMetadata, type OutputKind } from "../export/metadata.ts";
import { outputKindOf } from "../export/output-kind.ts";
import { VERSION } from "../export/version.ts";
import { parseViews } from "../pipeline/views.ts";
import { answerToBlank } from "./blank-answer.ts";
import { type ContractOptions, checkPorts, contractOf, refuseSelfContained } from "./model-contract.ts";
import { likeProbabilities, sumOf, toProbabilities } from "./probabilities.ts";

export interface AdoptOptions extends Omit<ContractOptions, "temperature"> {
  /** What an error's message calls the model. */
  readonly name?: string;
}

export interface Adopted {
  readonly model: Uint8Array;
  readonly metadata: ModelMetadata;
}

/**
 * A copy of a foreign model that carries its labels, its preprocessing and what its output is. The copy begins with the file's own bytes, the
 * graph among them: metadata is appended (earlier metadata of ours is replaced). A blank input is run first, to see that all this fits.
 * @throws UsageError where neither the options nor the file say labels and preprocessing, the views are unknown, or the output is not what is said.
 * @throws FivecropError where the bytes are no ONNX model, cannot be run, or do not fit to the labels and the preprocessing.
 */
export async function adopt(
  model: Uint8Array,
  createSession: SessionMaker,
  { name = "the model", ...options }: AdoptOptions,
): Promise<Adopted> {
  const contract = contractOf(model, options, name);
  refuseSelfContained(contract, name);
  const { labels, preprocess, outputKind, views } = contract;
  const { samples: _, ...earlier } = contract.metadata ?? {}; // what another preprocessing answered
  parseViews(views);
  const told = outputKindOf(model);
  if (told !== undefined && told !== outputKind)
    throw new UsageError(`${name}: its last node makes ${told}, the option says ${outputKind}. To fix: leave the option out.`);
  const metadata: ModelMetadata = { ...earlier, labels, preprocess, outputKind, views, createdBy: `fivecrop ${VERSION}` };
  const adopted = namingFile(name, () => appendMetadata(model, metadata));
  const session = await createSession(adopted, { name });
  try {
    checkPorts(session, contract, name);
    const row = await answerToBlank(session, preprocess, name);
    if (row.length !== labels.length)
      throw new FivecropError(
        `${name}: it answers with ${row.length} numbers, ${labels.length} labels were given. To fix: give a label for each class, in the order of the output.`,
      );
    checkOutput(row, outputKind, options.outputKind !== undefined, name);
  } finally {
    await session.dispose();
  }
  return { model: adopted, metadata };
}

/**
 * Probabilities sum to one; logits, but for a rare chance, do not.
 * @throws UsageError where the output is not what it is taken for; FivecropError where it is not finite.
 */
function checkOutput(row: Float32Array, kind: OutputKind, sure: boolean, name: string): void {
  const probabilities = toProbabilities(row, kind, { name });
  const sum = sumOf(kind === "logits" ? row : probabilities);
  if (kind === "logits" && !sure && likeProbabilities(row))
    throw new UsageError(
      `${name}: its output looks like probabilities (from 0 to 1, with the sum ${sum.toFixed(4)}), its last node is no softmax. ` +
        "To fix: say what it is, by --output probabilities (in a script outputKind), or logits.",
    );
  if (kind !== "logits" && Math.abs(sum - 1) > 0.01)
    throw new UsageError(
      `${name}: its output is said to be ${kind}, whose sum over the classes is 1; found ${sum.toPrecision(4)}. To fix: say what it is, by --output (in a script outputKind).`,
    );
}
