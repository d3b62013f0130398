import { writeWhole } from "../core/atomic-file.node.ts";
import { readModel } from "../core/read-file.node.ts";
import { appendMetadata } from "../export/metadata.ts";
import { VERSION } from "../export/version.ts";
import { makeSelfContained } from "./golden-samples.node.ts";
import { type ContractOptions, contractOf } from "./model-contract.ts";

export interface ExportSelfContainedOptions extends ContractOptions {
  /** The file to write. */
  readonly out: string;
  /** Pictures' files for golden samples, in place of the generated ones. */
  readonly files?: readonly string[];
}

/** A self-contained file of a model's file; labels, preprocessing and temperature are its own, or the options'. @throws UsageError, FivecropError */
export async function exportSelfContained(source: string, { out, files, views, ...options }: ExportSelfContainedOptions) {
  const model = await readModel(source);
  const { labels, preprocess, outputKind, metadata } = contractOf(model, options, source);
  const { temperature = metadata?.temperature } = options;
  const described = appendMetadata(model, {
    createdBy: `fivecrop ${VERSION}`,
    ...metadata,
    labels,
    preprocess,
    outputKind,
    ...(temperature !== undefined && { temperature }),
  });
  const { bytes, ...selfContained } = await makeSelfContained(described, { views, files, name: source });
  await writeWhole(out, bytes);
  return { kind: "exported" as const, file: out, bytes: bytes.length, selfContained };
}
