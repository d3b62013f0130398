import { writeWhole } from "../core/atomic-file.node.ts";
import { print } from "../core/command-line.node.ts";
import { UsageError } from "../core/errors.ts";
import { readModel } from "../core/read-file.node.ts";
import { createSession } from "../core/session.node.ts";
import { bytes, plural } from "../core/text.ts";
import type { OutputKind } from "../export/metadata.ts";
import { parseViews } from "../pipeline/views.ts";
import { adopt } from "./adopt.ts";
import { withGoldenSamples } from "./golden-samples.node.ts";
import { type ModelOptions, readModelOptions } from "./infer-options.node.ts";

export interface AdoptFileOptions extends ModelOptions {
  /** The file to write; it may be the model's own. */
  readonly out?: string;
  readonly tta?: string;
  readonly output?: OutputKind;
  readonly json?: true;
}

/**
 * Adopts a model's file into another, with golden samples, and says so.
 * @throws UsageError, FivecropError as adopt does, and where a file cannot be read or written; nothing is written then.
 */
export async function adoptFile(file: string, { out, tta, output, json, ...options }: AdoptFileOptions): Promise<void> {
  if (out === undefined) throw new UsageError("--out: expected the file to write, such as --out m.onnx, received none.");
  if (tta !== undefined) parseViews(tta);
  const said = await readModelOptions(options);
  const adopted = await adopt(await readModel(file), createSession, { ...said, views: tta, outputKind: output, name: file });
  const { metadata } = adopted;
  const model = await withGoldenSamples(adopted.model, { name: file });
  await writeWhole(out, model);
  const { labels, outputKind, views } = metadata;
  if (json) print(JSON.stringify({ out, bytes: model.length, metadata }));
  else print(`${out}: ${bytes(model.length)}, ${plural(labels.length, "label")}, output ${outputKind}, views ${views}`);
}
