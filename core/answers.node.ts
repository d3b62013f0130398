import { parentPort, type TransferListItem } from "node:worker_threads";
import type { Call, Reply } from "./calls.node.ts";
import { messageOf } from "./errors.ts";

/** The thread's side of `createCalls`: each question gets its answer, or its error. @param answer also says which memory goes with it. */
export function answerCalls<Question, Answer>(
  answer: (question: Question) => Promise<readonly [answer: Answer, lent: readonly ArrayBuffer[]]>,
): void {
  const port = parentPort;
  port?.on("message", async ({ id, question }: Call<Question>) => {
    try {
      const [result, lent] = await answer(question);
      port.postMessage({ id, answer: result } satisfies Reply<Answer>, lent as readonly TransferListItem[]);
    } catch (error) {
      port.postMessage({
        id,
        error: { name: error instanceof Error ? error.name : "", message: messageOf(error) },
      } satisfies Reply<Answer>);
    }
  });
}
