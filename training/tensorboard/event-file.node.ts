import { type FileHandle, open } from "node:fs/promises";
import { join } from "node:path";
import { FivecropError } from "../../core/errors.ts";
import { fileReason } from "../../core/file-error.ts";
import { makeDirectory } from "../../core/make-directory.node.ts";
import type { FitEvent } from "../fit.ts";
import { eventRecord, type TensorBoardEvent } from "./event-record.ts";

/** What TensorBoard shows of a run while it is under way. */
export interface EventFile {
  write(event: FitEvent): Promise<void>;
  close(): Promise<void>;
}

/** Milliseconds that entries of steps may wait for others. */
const PATIENCE = 1000;

/**
 * A new event file in the directory, in the order of time behind those of the run's earlier parts. It grows as the run goes; a reader leaves out an
 * entry that is not whole. Scalars by step: `loss/training` and `accuracy/training` of the step's batch, `learning-rate`, `images-per-second`;
 * `loss/validation` and `accuracy/validation` at logs and at the ends of epochs.
 * @throws FivecropError where it cannot be written.
 */
export async function createEventFile(directory: string): Promise<EventFile> {
  const file = join(directory, nameAt(Date.now()));
  const attempt = async <T>(work: () => Promise<T>): Promise<T> => {
    try {
      return await work();
    } catch (cause) {
      throw new FivecropError(`cannot write ${file}: ${fileReason(cause)}. To fix: free some space, or train without --tensorboard.`, {
        cause,
      });
    }
  };
  let handle: FileHandle | undefined = await attempt(async () => {
    await makeDirectory(directory);
    return open(file, "ax");
  });
  let waiting: Uint8Array[] = [];
  let flushed = performance.now();
  let validated = 0;
  const add = (event: Omit<TensorBoardEvent, "wallTime">): void => {
    waiting.push(eventRecord({ wallTime: Date.now() / 1e3, ...event }));
  };
  const flush = async (): Promise<void> => {
    const bytes = Buffer.concat(waiting);
    waiting = [];
    flushed = performance.now();
    await attempt(async () => handle?.appendFile(bytes));
  };

  add({ step: 0, isFirst: true });
  return {
    async write(event) {
      if (event.kind === "start") add({ step: event.step + 1, isStart: true });
      if (event.kind === "step") add({ step: event.step, scalars: scalarsOf(event) });
      if (event.kind === "log" || event.kind === "epoch") {
        const { step, validationLoss, validationAccuracy } = event.record;
        if (validationLoss !== undefined && validationAccuracy !== undefined && step !== validated)
          add({ step, scalars: { "loss/validation": validationLoss, "accuracy/validation": validationAccuracy } });
        validated = step;
      }
      if (event.kind !== "step" || performance.now() - flushed > PATIENCE) await flush();
    },
    async close() {
      const closing = handle;
      if (!closing) return;
      try {
        await flush();
      } finally {
        handle = undefined;
        await closing.close();
      }
    },
  };
}

const scalarsOf = ({ loss, accuracy, learningRate, images, seconds }: Extract<FitEvent, { kind: "step" }>) => ({
  "loss/training": loss,
  "accuracy/training": accuracy,
  "learning-rate": learningRate,
  "images-per-second": images / Math.max(1e-6, seconds),
});

/** TensorBoard knows event files by `tfevents`, and reads those of a folder in the order of their names. */
const nameAt = (milliseconds: number): string =>
  `events.out.tfevents.${Math.floor(milliseconds / 1e3)}.${String(milliseconds % 1e3).padStart(3, "0")}.fivecrop`;
