import type { FivecropError } from "../core/errors.ts";

export interface BatcherOptions<Item, Answer> {
  /** The sum of the sizes in a batch; one larger item goes alone. */
  readonly most: number;
  /** Batches under way at once: 2 keep a session in another thread busy while answers travel. One more is prepared; all others are their caller's memory. */
  readonly atOnce: number;
  /** @returns an answer for each item. */
  readonly run: (items: readonly Item[]) => Promise<readonly Answer[]>;
}

/** Items that come one by one and are answered in batches. */
export interface Batcher<Item, Answer> {
  /**
   * Prepares an item once there is room for it, and answers it with others that are ready then. Answers come in the order of these calls.
   * @param size what it counts in a batch.
   */
  add(size: number, prepare: () => Promise<Item>): Promise<Answer>;
  /** Rejects whatever has no answer. */
  close(error: FivecropError): void;
}

interface Entry<Item, Answer> {
  readonly size: number;
  readonly prepare: () => Promise<Item>;
  readonly resolve: (answer: Answer) => void;
  readonly reject: (error: unknown) => void;
  prepared?: { readonly item: Item } | { readonly error: unknown };
}

/**
 * Dynamic batches: an idle network takes at once what is ready, a busy one finds a full batch afterwards. However many wait, only a few batches are in memory.
 */
export function createBatcher<Item, Answer>({ most, atOnce, run }: BatcherOptions<Item, Answer>): Batcher<Item, Answer> {
  const waiting: Entry<Item, Answer>[] = [];
  const queue: Entry<Item, Answer>[] = []; // being prepared, or ready
  let held = 0; // the sizes of the queue and of the batches under way
  let running = 0;
  let closed: FivecropError | undefined;
  let settled: Promise<unknown> = Promise.resolve(); // all answers so far
  let scheduled = false;

  /** Soon, and once for all that become ready together. */
  function advanceSoon(): void {
    if (scheduled) return;
    scheduled = true;
    queueMicrotask(() => {
      scheduled = false;
      advance();
    });
  }

  function advance(): void {
    if (closed) return;
    while (waiting.length && (held === 0 || held + waiting[0].size <= (atOnce + 1) * most)) prepare(waiting.shift()!);
    while (running < atOnce && queue[0]?.prepared) {
      if ("error" in queue[0].prepared) refuse(queue.shift()!);
      else if (!runReady()) return;
    }
  }

  function prepare(entry: Entry<Item, Answer>): void {
    held += entry.size;
    queue.push(entry);
    const done = (prepared: NonNullable<typeof entry.prepared>): void => {
      entry.prepared = prepared;
      advanceSoon();
    };
    entry.prepare().then(
      (item) => done({ item }),
      (error: unknown) => done({ error }),
    );
  }

  /** Takes the first that are ready, or none where a batch is under way and this one would not be full. */
  function runReady(): boolean {
    let size = 0;
    let count = 0;
    let full = false;
    for (const { prepared, size: more } of queue) {
      full = size > 0 && size + more > most;
      if (full || !prepared || "error" in prepared) break;
      size += more;
      count++;
      if (size >= most) break;
    }
    if (running > 0 && !full && size < most) return false;
    start(queue.splice(0, count), size);
    return true;
  }

  function start(batch: readonly Entry<Item, Answer>[], size: number): void {
    running++;
    const answers = run(batch.map(({ prepared }) => (prepared as { readonly item: Item }).item));
    const release = (): void => {
      running--;
      held -= size;
      advanceSoon();
    };
    answers.then(release, release);
    inTurn(async () => {
      try {
        const all = await answers;
        batch.forEach(({ resolve }, i) => {
          resolve(all[i]);
        });
      } catch (error) {
        for (const { reject } of batch) reject(error);
      }
    });
  }

  function refuse({ size, prepared, reject }: Entry<Item, Answer>): void {
    held -= size;
    inTurn(() => reject((prepared as { readonly error: unknown }).error));
    advanceSoon();
  }

  function inTurn(settle: () => void | Promise<void>): void {
    settled = settled.then(settle);
  }

  return {
    add: (size, prepare) =>
      new Promise((resolve, reject) => {
        if (closed) return reject(closed);
        waiting.push({ size, prepare, resolve, reject });
        advanceSoon();
      }),
    close(error) {
      closed ??= error;
      for (const { reject } of [...queue.splice(0), ...waiting.splice(0)]) reject(error);
    },
  };
}
