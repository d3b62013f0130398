// The thread behind session.worker.node.ts: it holds the session, and runs it for whoever asks.
import { workerData } from "node:worker_threads";
import { answerCalls } from "./answers.node.ts";
import { createSession } from "./session.node.ts";
import type { Named, Port, Session, SessionOptions } from "./session.ts";

export interface SessionThreadData {
  readonly model: Uint8Array;
  readonly options: SessionOptions;
}

export type SessionQuestion =
  | { readonly kind: "open" }
  | { readonly kind: "run"; readonly feeds: Named; readonly fetches: readonly string[] | undefined }
  | { readonly kind: "close" };

export type SessionAnswer =
  | { readonly kind: "opened"; readonly inputs: readonly Port[]; readonly outputs: readonly Port[] }
  | { readonly kind: "ran"; readonly results: Named }
  | { readonly kind: "closed" };

const { model, options } = workerData as SessionThreadData;
let opened: Promise<Session> | undefined;
const open = (): Promise<Session> => (opened ??= createSession(model, options));

answerCalls<SessionQuestion, SessionAnswer>(async (question) => {
  const session = await open();
  if (question.kind === "open") return [{ kind: "opened", inputs: session.inputs, outputs: session.outputs }, []];
  if (question.kind === "close") {
    await session.dispose();
    return [{ kind: "closed" }, []];
  }
  const results = await session.run(question.feeds, question.fetches);
  return [{ kind: "ran", results }, memoryOf(results)];
});

/** Each buffer once. */
const memoryOf = (tensors: Named): ArrayBuffer[] => [...new Set(Object.values(tensors).map(({ data }) => data.buffer as ArrayBuffer))];
