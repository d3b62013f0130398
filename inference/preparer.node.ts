import { type Calls, createCalls } from "../core/calls.node.ts";
import { FivecropError } from "../core/errors.ts";
import type { Preparer } from "./classifier.ts";
import type { Crops } from "./crops.ts";
import { checkSource, type ImageSource } from "./image-source.node.ts";
import type { PrepareQuestion } from "./preparer.thread.node.ts";
import type { ReadCropsOptions } from "./read-crops.node.ts";

/** Pictures in one thread at a time: one is decoded while the other's views are made. Decoded pictures of more would only wait, in memory. */
const PER_THREAD = 2;

type Thread = Calls<PrepareQuestion, Crops>;

/** Reads pictures and makes their views in up to so many threads; each starts when there is work that the others have no room for. */
export function createPreparer(options: ReadCropsOptions, workers: number): Preparer<ImageSource> {
  const threads: Thread[] = [];
  const waiting: (() => void)[] = [];
  let disposed = false;

  function idle(): Thread | undefined {
    const least = threads.reduce<Thread | undefined>((a, b) => (a && a.pending <= b.pending ? a : b), undefined);
    if (least && (least.pending === 0 || (threads.length === workers && least.pending < PER_THREAD))) return least;
    if (threads.length === workers) return undefined;
    const thread: Thread = createCalls("inference/preparer.thread.node", options, "the thread that reads pictures");
    threads.push(thread);
    return thread;
  }

  return {
    async prepare(given, views) {
      const source = checkSource(given); // what is none could not be sent
      let thread = disposed ? undefined : idle();
      while (!thread && !disposed) {
        await new Promise<void>((resolve) => waiting.push(resolve));
        thread = disposed ? undefined : idle();
      }
      if (!thread) throw new FivecropError("the threads that read pictures were disposed of");
      try {
        return await thread.ask({ source, views });
      } finally {
        waiting.shift()?.();
      }
    },
    async dispose() {
      disposed = true;
      for (const wake of waiting.splice(0)) wake();
      await Promise.all(threads.map((thread) => thread.dispose()));
    },
  };
}
