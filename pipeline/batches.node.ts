import { FivecropError, messageOf, UsageError } from "../core/errors.ts";
import { startWorker } from "../core/worker.node.ts";
import { type Batch, type BatchPlan, batchCount, checkPlan, layOutBatch } from "./batches.ts";
import type { FromWorker, ToWorker } from "./batches.worker.node.ts";
import type { Dataset, DatasetDescription } from "./dataset.ts";
import { hereLoader, type Loader } from "./loader.ts";

/**
 * A loader that prepares batches two ahead in a worker, also while this thread is blocked by a step. The worker opens the data set itself, and lives
 * until `dispose`; it does not keep the process alive. A data set without a description is read in this thread.
 * @throws FivecropError where the package was not built.
 */
export function createLoader(dataset: Dataset): Loader {
  const { description } = dataset;
  return description ? workerLoader(dataset, description) : hereLoader(dataset);
}

function workerLoader(dataset: Dataset, description: DatasetDescription): Loader {
  const worker = startWorker("pipeline/batches.worker.node", description);
  const post = (message: ToWorker, lent: ArrayBuffer[] = []): void => worker.postMessage(message, lent);
  let current = 0;
  let arrived: FromWorker[] = [];
  let failure: FivecropError | undefined;
  let wake: (() => void) | undefined;
  const fail = (message: string, cause?: unknown): void => {
    failure ??= new FivecropError(`the worker that prepares ${dataset.name} ${message}`, { cause });
    wake?.();
  };
  worker.on("message", (message: FromWorker) => {
    if (message.job === current) arrived.push(message);
    else if (message.kind === "batch") post({ kind: "free", memory: message.memory }, [message.memory]);
    wake?.();
  });
  worker.on("error", (cause) => fail(`failed: ${messageOf(cause)}`, cause));
  worker.on("exit", () => fail("has ended"));

  async function next(job: number): Promise<FromWorker> {
    worker.ref(); // only while something is awaited does it keep the process alive
    while (job === current && !arrived.length && !failure) await new Promise<void>((resolve) => (wake = resolve));
    worker.unref();
    const message = job === current ? arrived.shift() : undefined;
    if (message) return message;
    throw job === current && failure ? failure : new FivecropError(`${dataset.name}: this epoch was ended by the start of another one`);
  }

  async function* epoch(plan: BatchPlan): AsyncGenerator<Batch, void, undefined> {
    checkPlan(plan, dataset.length);
    const job = current + 1;
    begin(job);
    post({ kind: "start", job, plan });
    try {
      for (let left = batchCount(dataset.length, plan.batchSize) - plan.firstBatch; left > 0; left--) {
        const message = await next(job);
        if (message.kind === "error") throw new (message.usage ? UsageError : FivecropError)(message.message);
        const { memory, rows } = message;
        try {
          yield layOutBatch(memory, rows, plan, dataset.classNames.length);
        } finally {
          post({ kind: "free", memory }, [memory]);
        }
      }
    } finally {
      if (job === current) {
        begin(job + 1);
        post({ kind: "stop" });
      }
    }
  }

  /** What arrived for the job before goes back. */
  function begin(job: number): void {
    current = job;
    for (const message of arrived) if (message.kind === "batch") post({ kind: "free", memory: message.memory }, [message.memory]);
    arrived = [];
    wake?.();
  }

  return {
    name: dataset.name,
    classNames: dataset.classNames,
    length: dataset.length,
    batches: epoch,
    async dispose() {
      fail("was disposed of");
      await worker.terminate();
    },
  };
}
