import type { TransferListItem, Worker } from "node:worker_threads";
import { FivecropError, messageOf, PictureError, UsageError } from "./errors.ts";
import { startWorker } from "./worker.node.ts";

export interface Call<Question> {
  readonly id: number;
  readonly question: Question;
}

export type Reply<Answer> =
  | { readonly id: number; readonly answer: Answer }
  | { readonly id: number; readonly error: { readonly name: string; readonly message: string } };

/** A thread that answers questions. */
export interface Calls<Question, Answer> {
  /** Asked and not yet answered. */
  readonly pending: number;
  /** @param lent memory that goes with the question and does not come back. @throws FivecropError, UsageError as the thread did, or where it has ended. */
  ask(question: Question, lent?: readonly ArrayBuffer[]): Promise<Answer>;
  /** Ends the thread; what was not answered is rejected. */
  dispose(): Promise<void>;
}

/** Errors that stay what they are on their way from the thread. */
const KINDS: Readonly<Record<string, typeof FivecropError | undefined>> = { UsageError, PictureError };

interface Waiting<Answer> {
  readonly resolve: (answer: Answer) => void;
  readonly reject: (error: FivecropError) => void;
}

/**
 * A thread of this module, which `answerCalls`. It keeps the process alive only while it owes an answer.
 * @param name of the thread, for messages: "the thread that …"
 * @throws FivecropError where the package was not built.
 */
export function createCalls<Question, Answer>(module: string, workerData: unknown, name: string): Calls<Question, Answer> {
  const worker: Worker = startWorker(module, workerData);
  const waiting = new Map<number, Waiting<Answer>>();
  let last = 0;
  let ended: FivecropError | undefined;
  const take = (id: number): Waiting<Answer> | undefined => {
    const found = waiting.get(id);
    waiting.delete(id);
    if (waiting.size === 0) worker.unref();
    return found;
  };
  const end = (message: string, cause?: unknown): void => {
    ended ??= new FivecropError(`${name} ${message}`, { cause });
    for (const id of [...waiting.keys()]) take(id)?.reject(ended);
  };
  worker.on("message", (reply: Reply<Answer>) => {
    const found = take(reply.id);
    if ("answer" in reply) found?.resolve(reply.answer);
    else found?.reject(new (KINDS[reply.error.name] ?? FivecropError)(reply.error.message));
  });
  worker.on("error", (cause) => end(`failed: ${messageOf(cause)}`, cause));
  worker.on("exit", () => end("has ended"));
  return {
    get pending() {
      return waiting.size;
    },
    ask: (question, lent = []) =>
      new Promise((resolve, reject) => {
        if (ended) return reject(ended);
        const id = ++last;
        worker.postMessage({ id, question } satisfies Call<Question>, lent as readonly TransferListItem[]);
        waiting.set(id, { resolve, reject });
        worker.ref();
      }),
    async dispose() {
      end("was disposed of");
      await worker.terminate();
    },
  };
}
