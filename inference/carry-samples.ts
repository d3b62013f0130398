import { FivecropError } from "../core/errors.ts";
import type { SessionMaker } from "../core/session.ts";
import { appendMetadata } from "../export/metadata.ts";
import { metadataOf } from "./model-contract.ts";
import { recordSamples, type SampleFile } from "./verify-samples.ts";

/** The model's file with what it answers now for these pictures. @throws FivecropError where it says no labels and preprocessing. */
export async function carrySamples(
  model: Uint8Array,
  read: () => Promise<readonly SampleFile[]>,
  { createSession, name }: { readonly createSession: SessionMaker; readonly name: string },
): Promise<Uint8Array> {
  const metadata = metadataOf(model, name);
  if (!metadata)
    throw new FivecropError(`${name} carries no fivecrop metadata: expected labels and preprocessing, which samples are answered by`);
  const samples = await recordSamples(model, await read(), { createSession, name, views: metadata.views ?? "five-crop" });
  return appendMetadata(model, { ...metadata, samples });
}
