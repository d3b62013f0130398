// The thread behind session.worker.node.ts: it holds the session, and runs it for whoever asks.
import { workerData } from "node:worker_threads";
import { answerCalls } from "./answers.node.ts";
import type { ThreadData } from "./calls.node.ts";
import { createSession } from "./session.node.ts";
import type { Named, Port, Session, SessionOptions } from "./session.ts";
import { threadState } from "./thread-state.node.ts";

export interface SessionThreadData {
  readonly model: Uint8Array;
  readonly options: SessionOptions;
}

export type SessionQuestion =
  | { readonly kind: "open" }
  | { readonly kind: "run"; readonly feeds: Named; readonly fetches: readonly string[] | undefined };

export type SessionAnswer =
  | { readonly kind: "opened"; readonly inputs: readonly Port[]; readonly outputs: readonly Port[] }
  | { readonly kind: "ran"; readonly results: Named };

const { data, state } = workerData as ThreadData<SessionThreadData>;
let opened: Promise<Session> | undefined;
const open = (): Promise<Session> => (opened ??= createSession(data.model, data.options));

answerCalls<SessionQuestion, SessionAnswer>(threadState(state), {
  inTurn: true,
  async answer(question) {
    const session = await open();
    if (question.kind === "open") return [{ kind: "opened", inputs: session.inputs, outputs: session.outputs }, []];
    const results = await session.run(question.feeds, question.fetches);
    return [{ kind: "ran", results }, memoryOf(results)];
  },
  async release() {
    const session = await opened?.catch(() => undefined); // an error of opening was the answer to "open"
    await session?.dispose();
  },
});

/** Each buffer once. */
const memoryOf = (tensors: Named): ArrayBuffer[] => [...new Set(Object.values(tensors).map(({ data }) => data.buffer as ArrayBuffer))];
