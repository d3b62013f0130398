import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { dirname, isAbsolute, join, relative, resolve } from "node:path";
import { FivecropError, UsageError } from "../core/errors.ts";
import { fileReason } from "../core/file-error.ts";
import { readModel } from "../core/read-file.node.ts";
import { type ImportedModel, importModel } from "../export/import-model.ts";
import { shippedFile } from "../models/pretrained.node.ts";
import { isShipped } from "../models/shipped.ts";
import { isModelFile, type RunConfig } from "./run-config.ts";

const hashOf = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");

/** A name of the package's own, or a file; one that is not there may be the package's. */
const pathOf = (model: string): string => ((isShipped(model) || !existsSync(model)) && shippedFile(model)) || resolve(model);

/** With the place of a model's file from the root, and its hash: a run goes on with the file that it began with. @throws FivecropError where it cannot be read. */
export async function withModelHash(config: RunConfig): Promise<RunConfig> {
  if (!isModelFile(config.model) || config.modelHash !== undefined) return config;
  const model = pathOf(config.model);
  return { ...config, model, modelHash: hashOf(await readModel(model)) };
}

/**
 * The file that a run trains further.
 * @throws FivecropError where it cannot be read, is another one than the run began with, or cannot be trained; UsageError where it is no classifier of images.
 */
export async function openModelFile({ model, modelHash, features }: RunConfig): Promise<ImportedModel> {
  const file = pathOf(model);
  const bytes = await readModel(file);
  const found = hashOf(bytes);
  if (modelHash !== undefined && found !== modelHash)
    throw new FivecropError(
      `${model} is no longer the file that the run began with: expected SHA-256 ${modelHash}, found ${found}. To fix: put that file back, or train anew.`,
    );
  return importModel(bytes, { file, features, external: externalReader(file) });
}

/** Reads the files that hold weights beside a model: only below its own folder. */
function externalReader(model: string): (location: string) => Uint8Array {
  const folder = dirname(resolve(model));
  const kept = new Map<string, Uint8Array>();
  return (location) => {
    const file = join(folder, location);
    const path = relative(folder, file);
    if (path.startsWith("..") || isAbsolute(location))
      throw new UsageError(`its numbers lie in '${location}', which is not in the model's folder. To fix: put it beside the model.`);
    const known = kept.get(file);
    if (known) return known;
    try {
      const bytes = new Uint8Array(readFileSync(file));
      kept.set(file, bytes);
      return bytes;
    } catch (cause) {
      throw new FivecropError(
        `its numbers lie in ${file}, which cannot be read: ${fileReason(cause)}. To fix: put that file beside the model, or save the model with its weights inside.`,
        { cause },
      );
    }
  };
}
