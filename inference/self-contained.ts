import { checkWhole } from "../core/check.ts";
import { FivecropError, UsageError } from "../core/errors.ts";
import type { Session } from "../core/session.ts";
import { tensor } from "../core/tensor.ts";
import { checkImage, type Image, withChannels } from "../pipeline/image.ts";
import { parseViews, sameViews, validateViews } from "../pipeline/views.ts";
import { toClassification } from "./classification.ts";
import type { Classifier, ClassifierOptions, ClassifyOptions, Platform, ReadImage } from "./classifier.ts";
import type { Contract } from "./model-contract.ts";
import { toProbabilities } from "./probabilities.ts";

/** What such a graph does itself. */
const ITS_OWN = ["preprocess", "outputKind", "temperature"] as const satisfies readonly (keyof ClassifierOptions)[];

const refusal = (name: string, what: string): UsageError =>
  new UsageError(`${name} is self-contained: ${what}. To fix: leave that out, or give the file that it was made of.`);

/**
 * A classifier whose graph takes whole pictures, uint8 [1, H, W, C], and averages over its own views: each goes through it alone, as it was decoded, one
 * after the other.
 * @throws UsageError for what the graph does itself, and a device other than the processor. FivecropError where the model does not fit its metadata.
 */
export async function createSelfContained<Source>(
  model: Uint8Array,
  { createSession, toImage, processor }: Platform<Source>,
  { contract, name, ...options }: ClassifierOptions & { readonly contract: Contract; readonly name: string },
): Promise<Classifier<Source>> {
  const { labels, preprocess, metadata } = contract;
  const viewsName = metadata?.views ?? "none";
  const own = parseViews(viewsName);
  const { device = processor } = options;
  const given = ITS_OWN.find((option) => options[option] !== undefined);
  if (given) throw refusal(name, `its graph has its own ${given}, another was given`);
  if (device !== processor) throw refusal(name, `its graph resizes 8-bit pictures, for which ${device} has no operators`);
  checkViews(options.views);
  const session = await createSession(model, { name, device });
  let ports: { readonly input: string; readonly output: string };
  try {
    ports = portsOf(session, contract, name);
  } catch (error) {
    await session.dispose();
    throw error;
  }
  let last: Promise<unknown> = Promise.resolve();
  let disposed: Promise<void> | undefined;

  function checkViews(asked: ClassifyOptions["views"]): void {
    if (asked === undefined || sameViews(typeof asked === "string" ? parseViews(asked) : validateViews(asked), own)) return;
    throw refusal(name, `its graph averages over ${viewsName} itself, other views were asked for`);
  }

  async function answer(source: Source | ReadImage): Promise<Float64Array> {
    if (disposed) throw new FivecropError(`${name}: the classifier was disposed of`);
    const image: Image =
      typeof source === "function" ? checkImage(await (source as ReadImage)(), "a function that reads") : await toImage(source as Source);
    const { width, height, channels, data } = withChannels(image, preprocess.channels);
    const { [ports.output]: output } = await session.run({ [ports.input]: tensor("uint8", [1, height, width, channels], data) }, [
      ports.output,
    ]);
    if (String(output.shape) !== `1,${labels.length}`)
      throw new FivecropError(`${name}: its output is [${output.shape}], ${labels.length} labels need [1,${labels.length}].`);
    return toProbabilities(output.data as Float32Array, "probabilities", { name });
  }

  /** In their order, so that only one picture lies in memory. */
  function inTurn(source: Source | ReadImage): Promise<Float64Array> {
    const answered = last.then(() => answer(source));
    last = answered.catch(() => undefined);
    return answered;
  }

  async function classify(image: Source, { views, top = 5, explain }: ClassifyOptions = {}) {
    checkWhole("top", top, 1);
    checkViews(views);
    if (explain) throw refusal(name, "its views' own maps of features cannot be had, an explanation was asked for");
    return toClassification([await inTurn(image)], own.length === 1 ? own : [], labels, top);
  }

  return {
    labels,
    preprocess,
    views: viewsName,
    temperature: 1,
    device,
    deviceCheck: undefined,
    metadata,
    classify,
    classifyBatch: (images, classifyOptions) => Promise.all(images.map((image) => classify(image, classifyOptions))),
    async probabilities(images, views) {
      checkViews(views);
      return Promise.all(images.map(async (image) => [await inTurn(image)]));
    },
    async dispose() {
      disposed ??= last.then(() => session.dispose());
      await disposed;
    },
  };
}

/** @throws FivecropError where it does not take whole pictures, or does not answer with a number for each label. */
function portsOf({ inputs, outputs }: Session, { labels, preprocess: { channels } }: Contract, name: string) {
  const [input, output] = [inputs[0], outputs[0]];
  const takes = inputs.length === 1 && input.dtype === "uint8" && input.shape.length === 4 && input.shape[3] === channels;
  if (!takes || output?.dtype !== "float32" || output.shape[1] !== labels.length) {
    const [found, gives] = [inputs, outputs].map(
      (ports) => ports.map(({ dtype, shape }) => `${dtype} [${shape}]`).join(" and ") || "nothing",
    );
    throw new FivecropError(
      `${name} is self-contained by its metadata: expected uint8 [N,H,W,${channels}] in and float32 [N,${labels.length}] out, found ${found} and ${gives}. To fix: export it again.`,
    );
  }
  return { input: input.name, output: output.name };
}
