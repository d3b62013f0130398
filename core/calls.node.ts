import type { TransferListItem, Worker } from "node:worker_threads";
import { FivecropError, messageOf, PictureError, UsageError } from "./errors.ts";
import { awaitAtExit, STATE_BYTES, threadState } from "./thread-state.node.ts";
import { startWorker } from "./worker.node.ts";

export interface Call<Question> {
  readonly id: number;
  readonly question: Question;
}

export type FromThread<Answer> =
  | { readonly id: number; readonly answer: Answer }
  | { readonly id: number; readonly error: { readonly name: string; readonly message: string } };

/** A thread that answers questions. */
export interface Calls<Question, Answer> {
  /** Asked and not yet answered. */
  readonly pending: number;
  /** @param lent memory that goes with the question and does not come back. @throws FivecropError, UsageError as the thread did, or where it has ended. */
  ask(question: Question, lent?: readonly ArrayBuffer[]): Promise<Answer>;
  /** Rejects what was not answered, and ends the thread once it has finished what it is in the midst of. */
  dispose(): Promise<void>;
}

/** Errors that stay what they are on their way from the thread. */
const KINDS: Readonly<Record<string, typeof FivecropError | undefined>> = { UsageError, PictureError };

interface Waiting<Answer> {
  readonly resolve: (answer: Answer) => void;
  readonly reject: (error: FivecropError) => void;
}

/** What a thread is started with. */
export interface ThreadData<Data> {
  readonly data: Data;
  readonly state: SharedArrayBuffer;
}

/**
 * A thread of this module, which `answerCalls`. It keeps the process alive only while it owes an answer.
 * @param name of the thread, for messages: "the thread that …"
 * @throws FivecropError where the package was not built.
 */
export function createCalls<Question, Answer, Data>(module: string, data: Data, name: string): Calls<Question, Answer> {
  const memory = new SharedArrayBuffer(STATE_BYTES);
  const state = threadState(memory);
  const worker: Worker = startWorker(module, { data, state: memory } satisfies ThreadData<Data>);
  const forget = awaitAtExit(state);
  const waiting = new Map<number, Waiting<Answer>>();
  let last = 0;
  let ended: FivecropError | undefined;
  let ending = false;
  const take = (id: number): Waiting<Answer> | undefined => {
    const found = waiting.get(id);
    waiting.delete(id);
    if (waiting.size === 0 && !ending) worker.unref();
    return found;
  };
  const end = (message: string, cause?: unknown): void => {
    ended ??= new FivecropError(`${name} ${message}`, { cause });
    for (const id of [...waiting.keys()]) take(id)?.reject(ended);
  };
  worker.on("message", (reply: FromThread<Answer>) => {
    const found = take(reply.id);
    if ("answer" in reply) found?.resolve(reply.answer);
    else found?.reject(new (KINDS[reply.error.name] ?? FivecropError)(reply.error.message));
  });
  worker.on("messageerror", (cause) => end(`gave an answer that cannot be received: ${messageOf(cause)}`, cause)); // whose it is, it does not say
  worker.on("error", (cause) => end(`failed: ${messageOf(cause)}`, cause));
  const exited = new Promise<void>((resolve) => {
    worker.on("exit", () => {
      forget();
      end("has ended");
      resolve();
    });
  });
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
    dispose() {
      ending = true;
      state.stop();
      end("was disposed of");
      worker.ref();
      worker.postMessage("end");
      return exited;
    },
  };
}
