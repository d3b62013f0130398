import { parentPort, type TransferListItem } from "node:worker_threads";
import type { Call, FromThread } from "./calls.node.ts";
import { FivecropError, messageOf } from "./errors.ts";
import type { ThreadState } from "./thread-state.node.ts";

/** How a thread answers. */
export interface Answering<Question, Answer> {
  /** @returns also which memory goes with the answer */
  readonly answer: (question: Question) => Promise<readonly [answer: Answer, lent: readonly ArrayBuffer[]]>;
  /** One question after the other; else each is taken up when it comes. */
  readonly inTurn?: boolean;
  /** Lets go what the thread holds. */
  readonly release?: () => Promise<void>;
}

/**
 * The thread's side of `createCalls`: each question gets its answer, or its error. After the last one the thread ends by itself: ended from outside, a
 * native call on its way would take the process with it.
 */
export function answerCalls<Question, Answer>(state: ThreadState, { answer, inTurn = false, release }: Answering<Question, Answer>): void {
  const port = parentPort;
  if (!port) throw new FivecropError("answerCalls: expected to run in a worker thread");
  const give = (message: FromThread<Answer>, lent: readonly ArrayBuffer[] = []): void =>
    port.postMessage(message, lent as readonly TransferListItem[]);
  const under = new Set<Promise<void>>();
  const reply = async ({ id, question }: Call<Question>): Promise<void> => {
    if (!state.begin()) return;
    try {
      const [result, lent] = await answer(question);
      give({ id, answer: result }, lent);
    } catch (error) {
      give({ id, error: { name: error instanceof Error ? error.name : "", message: messageOf(error) } });
    } finally {
      state.end();
    }
  };
  let before: Promise<void> = Promise.resolve();
  port.on("messageerror", (cause) => {
    throw new FivecropError(`received a question that cannot be read: ${messageOf(cause)}`, { cause }); // ends the thread: whose it was, it does not say
  });
  port.on("message", async (message: Call<Question> | "end") => {
    if (message === "end") {
      await Promise.all(under);
      await release?.();
      port.close();
      return;
    }
    const replied = inTurn ? before.then(() => reply(message)) : reply(message);
    before = replied;
    under.add(replied);
    await replied;
    under.delete(replied);
  });
}
