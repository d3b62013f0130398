import { writeWhole } from "../core/atomic-file.node.ts";
import { FivecropError } from "../core/errors.ts";
import { readModel } from "../core/read-file.node.ts";
import { withHeatMap } from "../export/grad-cam.ts";
import { appendMetadata } from "../export/metadata.ts";
import { VERSION } from "../export/version.ts";
import { verifyModel, withGoldenSamples } from "./golden-samples.node.ts";
import { type ContractOptions, contractOf, refuseSelfContained } from "./model-contract.ts";
import { describeDivergence } from "./verify-samples.ts";

export interface ExportExplainedOptions extends ContractOptions {
  /** The file to write. */
  readonly out: string;
  /** The node whose map of features is looked at. */
  readonly layer?: string;
  /** Pictures' files for golden samples, in place of the generated ones. */
  readonly files?: readonly string[];
}

/** A file of a model's file with Grad-CAM as its second output, compared with it on its golden samples. @throws UsageError, FivecropError */
export async function exportExplained(source: string, { out, layer: wanted, files, ...options }: ExportExplainedOptions) {
  const plain = await readModel(source);
  const contract = contractOf(plain, options, source);
  refuseSelfContained(contract, source);
  const { labels, preprocess, outputKind, metadata } = contract;
  const described = appendMetadata(plain, { createdBy: `fivecrop ${VERSION}`, ...metadata, labels, preprocess, outputKind });
  const { model, layer } = withHeatMap(await withGoldenSamples(described, { files, name: source }), { layer: wanted, name: source });
  const { divergence, views } = await verifyModel(model, { name: out });
  if (divergence)
    throw new FivecropError(
      `${source}: with its heat map it answers otherwise: ${describeDivergence(divergence, views)}. The file was not written.`,
    );
  await writeWhole(out, model);
  return { kind: "exported" as const, file: out, bytes: model.length, layer };
}
