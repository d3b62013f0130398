// The thread behind session.worker.node.ts: it holds sessions, and runs them for whoever asks.
import { workerData } from "node:worker_threads";
import { answerCalls } from "./answers.node.ts";
import type { ThreadData } from "./calls.node.ts";
import { FivecropError } from "./errors.ts";
import { createSession } from "./session.node.ts";
import type { Named, Port, Session, SessionOptions } from "./session.ts";
import { buffersOf } from "./tensor.ts";
import { threadState } from "./thread-state.node.ts";

export type SessionQuestion =
  | { readonly kind: "open"; readonly session: number; readonly model: Uint8Array; readonly options: SessionOptions }
  | { readonly kind: "run"; readonly session: number; readonly feeds: Named; readonly fetches: readonly string[] | undefined }
  | { readonly kind: "close"; readonly session: number };

export type SessionAnswer =
  | { readonly kind: "opened"; readonly inputs: readonly Port[]; readonly outputs: readonly Port[] }
  | { readonly kind: "ran"; readonly results: Named }
  | { readonly kind: "closed" };

const sessions = new Map<number, Session>();

async function answer(question: SessionQuestion): Promise<readonly [answer: SessionAnswer, lent: readonly ArrayBuffer[]]> {
  if (question.kind === "open") {
    const session = await createSession(question.model, question.options);
    sessions.set(question.session, session);
    return [{ kind: "opened", inputs: session.inputs, outputs: session.outputs }, []];
  }
  const session = sessions.get(question.session);
  if (question.kind === "close") {
    sessions.delete(question.session);
    await session?.dispose();
    return [{ kind: "closed" }, []];
  }
  if (!session) throw new FivecropError("the session was disposed of");
  const results = await session.run(question.feeds, question.fetches);
  return [{ kind: "ran", results }, buffersOf(results)];
}

async function release(): Promise<void> {
  for (const session of sessions.values()) await session.dispose();
}

answerCalls<SessionQuestion, SessionAnswer>(threadState((workerData as ThreadData<undefined>).state), { answer, inTurn: true, release });
