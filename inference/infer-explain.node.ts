import type { Command } from "commander";
import { UsageError } from "../core/errors.ts";
import type { Classification } from "./classifier.ts";
import type { ExplainOptions } from "./explainer.ts";
import { createExplanationSaver } from "./save-explanation.node.ts";

/** `infer`'s options of what is explained, and where it is written. */
export interface ExplainArguments {
  readonly explain?: true;
  readonly explainTo?: string;
  readonly class?: string;
  readonly layer?: string;
}

/** `--explain`, `--explain-to`, `--class` and `--layer`. */
export const withExplainOptions = (command: Command): Command =>
  command
    .option("--explain", "write which places spoke for the most probable class (Grad-CAM), as PICTURE.explain.png beside the picture")
    .option("--explain-to <dir>", "write it as DIR/PICTURE.explain.png")
    .option("--class <name>", "with --explain: the class to explain (default: the most probable one)")
    .option("--layer <node>", "with --explain: the node whose map of features is looked at (default: the last one)");

/** What was explained, and the file that shows it. */
export interface Explained {
  readonly label: string;
  readonly classIndex: number;
  readonly layer: string;
  readonly saved: string;
}

/** Explains pictures and writes their heat maps. */
export interface Explaining {
  readonly options: ExplainOptions;
  /** Claims the files' names. @throws UsageError where two would be written to one, or a folder's heat maps would be among its pictures. */
  claim(files: readonly string[], folders: readonly string[]): void;
  /** @throws FivecropError where the heat map cannot be written. */
  save(file: string, classification: Classification): Promise<Explained | undefined>;
}

/** What these options ask for, if anything. @throws UsageError for one that needs --explain. */
export function explaining({ explain, explainTo, class: chosen, layer }: ExplainArguments): Explaining | undefined {
  if (!explain && explainTo === undefined) {
    for (const [option, value] of Object.entries({ "--class": chosen, "--layer": layer }))
      if (value !== undefined)
        throw new UsageError(`${option}: expected --explain beside it, received ${option} alone. To fix: add --explain.`);
    return undefined;
  }
  const saver = createExplanationSaver(explainTo);
  return {
    options: { class: chosen, layer },
    claim(files, [folder]) {
      if (folder !== undefined && explainTo === undefined)
        throw new UsageError(
          `--explain: ${folder} is a folder, whose pictures the heat maps would be among. To fix: name another one, --explain-to DIR.`,
        );
      for (const file of files) saver.claim(file);
    },
    async save(file, { explanation }) {
      if (!explanation) return undefined;
      const { label, classIndex, layer: at } = explanation;
      return { label, classIndex, layer: at, saved: await saver.save(file, explanation) };
    },
  };
}
