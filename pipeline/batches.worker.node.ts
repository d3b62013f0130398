// The thread behind createLoader: it fills batches ahead, and lends their memory to the main thread, which sends it back.
import { type MessagePort, parentPort, workerData } from "node:worker_threads";
import { messageOf } from "../core/errors.ts";
import { type BatchPlan, batchBytes, batchCount, epochOrder, fillBatch } from "./batches.ts";
import type { Dataset, DatasetDescription } from "./dataset.ts";
import { openDataset } from "./datasets/index.ts";

export type ToWorker =
  | { readonly kind: "start"; readonly job: number; readonly plan: BatchPlan }
  | { readonly kind: "stop" }
  | { readonly kind: "free"; readonly memory: ArrayBuffer };

export type FromWorker =
  | { readonly kind: "batch"; readonly job: number; readonly rows: number; readonly memory: ArrayBuffer }
  | { readonly kind: "error"; readonly job: number; readonly message: string; readonly usage: boolean };

/** Batches that may exist at once: one in use, two ahead. */
const SLOTS = 3;

function serve(port: MessagePort, opened: Promise<Dataset>): void {
  let current = 0;
  let slots = 0;
  const free: ArrayBuffer[] = [];
  let waiting: (() => void)[] = [];

  /** Memory of this size once there is some; undefined once the job is no longer the current one. */
  async function memoryFor(job: number, bytes: number): Promise<ArrayBuffer | undefined> {
    while (job === current) {
      const memory = free.pop();
      if (memory?.byteLength === bytes) return memory;
      if (memory) slots--;
      else if (slots < SLOTS) {
        slots++;
        return new ArrayBuffer(bytes);
      } else await new Promise<void>((resolve) => waiting.push(resolve));
    }
    return undefined;
  }

  async function run(job: number, plan: BatchPlan): Promise<void> {
    const dataset = await opened;
    const order = epochOrder(dataset.length, plan);
    const bytes = batchBytes(plan, dataset.classNames.length);
    for (let batch = plan.firstBatch; batch < batchCount(dataset.length, plan.batchSize); batch++) {
      const memory = await memoryFor(job, bytes);
      if (!memory) return;
      try {
        const { labels } = await fillBatch(dataset, plan, order, batch, memory);
        port.postMessage({ kind: "batch", job, rows: labels.length, memory } satisfies FromWorker, [memory]);
      } catch (error) {
        free.push(memory);
        throw error;
      }
    }
  }

  port.on("message", (message: ToWorker) => {
    if (message.kind === "free") free.push(message.memory);
    else current = message.kind === "start" ? message.job : 0;
    const woken = waiting;
    waiting = [];
    for (const wake of woken) wake();
    if (message.kind !== "start") return;
    const { job, plan } = message;
    run(job, plan).catch((error: unknown) => {
      const usage = error instanceof Error && error.name === "UsageError";
      port.postMessage({ kind: "error", job, message: messageOf(error), usage } satisfies FromWorker);
    });
  });
}

if (parentPort) {
  const opened = openDataset(workerData as DatasetDescription);
  opened.catch(() => undefined); // each job reports it
  serve(parentPort, opened);
}
