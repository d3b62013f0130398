import { type Calls, createCalls } from "../core/calls.node.ts";
import { FivecropError } from "../core/errors.ts";
import type { Preparer } from "./classifier.ts";
import type { Crops } from "./crops.ts";
import { decodedBytes } from "./decoded-bytes.node.ts";
import { checkSource, type ImageSource } from "./image-source.node.ts";
import { createMemoryQueue } from "./memory-queue.ts";
import type { PrepareQuestion } from "./preparer.thread.node.ts";
import type { ReadCropsOptions } from "./read-crops.node.ts";

/** Pictures in one thread at a time: one is decoded while the other's views are made. Decoded pictures of more would only wait, in memory. */
const PER_THREAD = 2;

/** Of all threads' decoded pictures together, in bytes: four of 12 megapixels. While it is worked on, a picture takes about three times its bytes. */
const DECODED = 160 * 2 ** 20;

type Thread = Calls<PrepareQuestion, Crops>;

/** Reads pictures and makes their views in up to so many threads; each starts when there is work that the others have no room for. */
export function createPreparer(options: ReadCropsOptions, workers: number): Preparer<ImageSource> {
  const threads: Thread[] = [];
  const queue = createMemoryQueue(DECODED);
  let disposed = false;
  const ended = (): FivecropError => new FivecropError("the threads that read pictures were disposed of");

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
      const bytes = await decodedBytes(source);
      if (disposed) throw ended();
      return queue.add({ bytes, start: () => idle()?.ask({ source, views }) });
    },
    async dispose() {
      disposed = true;
      queue.clear(ended());
      await Promise.all(threads.map((thread) => thread.dispose()));
    },
  };
}
