import { type Calls, createCalls } from "./calls.node.ts";
import { FivecropError } from "./errors.ts";
import type { SessionAnswer, SessionQuestion } from "./session.thread.node.ts";
import type { Device, Named, Session, SessionMaker, SessionOptions } from "./session.ts";
import { buffersOf } from "./tensor.ts";

type SessionCalls = Calls<SessionQuestion, SessionAnswer>;

const startThread = (): SessionCalls => createCalls("core/session.thread.node", undefined, "the thread of the session");

/** The one thread of all WebGPU sessions, while there are any: two threads that run at once crash the process. */
let shared: { readonly calls: SessionCalls; users: number; closing: Promise<unknown> } | undefined;
/** The one before has ended. */
let ended: Promise<void> = Promise.resolve();
let count = 0;

/** A session's place in a thread; `leave` ends a thread that nobody uses any more. */
interface Place {
  readonly calls: SessionCalls;
  leave(session: number): Promise<void>;
}

async function takePlace(device: Device): Promise<Place> {
  if (device !== "webgpu") {
    const calls = startThread();
    return { calls, leave: () => calls.dispose() };
  }
  for (let seen: unknown; seen !== ended; await seen) seen = ended;
  shared ??= { calls: startThread(), users: 0, closing: Promise.resolve() };
  const here = shared;
  here.users++;
  return {
    calls: here.calls,
    async leave(session) {
      if (--here.users > 0) {
        const closed = askFor(here.calls, "closed", { kind: "close", session });
        here.closing = Promise.allSettled([here.closing, closed]);
        await closed;
        return;
      }
      shared = undefined;
      ended = here.closing.then(() => here.calls.dispose());
      await ended;
    },
  };
}

/**
 * Runs a model with onnxruntime-node in a thread of its own: the event loop stays free. On WebGPU, sessions share a thread. Runs are answered in the
 * order of their calls. Results come by ownership, and with `giveFeeds` feeds go by it; otherwise they are copied. `dispose` rejects what still runs,
 * unless another session is in the thread, and ends the thread after the run that it is in.
 * @throws FivecropError where the package was not built, or ONNX Runtime cannot load the model.
 */
export const createSession: SessionMaker = async (model, options: SessionOptions = {}): Promise<Session> => {
  const session = ++count;
  const { calls, leave } = await takePlace(options.device ?? "cpu");
  let disposed: Promise<void> | undefined;
  try {
    const { inputs, outputs } = await askFor(calls, "opened", { kind: "open", session, model, options });
    return {
      inputs,
      outputs,
      async run(feeds, fetches) {
        const names = fetches && (Array.isArray(fetches) ? (fetches as readonly string[]) : Object.keys(fetches));
        const whole = wholeBuffers(feeds);
        const question = { kind: "run", session, feeds: whole, fetches: names } as const;
        const { results } = await askFor(calls, "ran", question, options.giveFeeds ? buffersOf(whole) : []);
        if (!fetches || Array.isArray(fetches)) return results;
        const into = fetches as Named;
        for (const name in into) (into[name].data as Float32Array).set(results[name].data as Float32Array);
        return into;
      },
      dispose: () => (disposed ??= leave(session)),
    };
  } catch (error) {
    await leave(session).catch(() => undefined); // what failed first says more
    throw error;
  }
};

type Kind = SessionAnswer["kind"];

async function askFor<K extends Kind>(
  calls: SessionCalls,
  kind: K,
  question: SessionQuestion,
  lent?: readonly ArrayBuffer[],
): Promise<Extract<SessionAnswer, { readonly kind: K }>> {
  const answer = await calls.ask(question, lent);
  if (answer.kind !== kind) throw new FivecropError(`the thread of the session answered '${answer.kind}', expected '${kind}'`);
  return answer as Extract<SessionAnswer, { readonly kind: K }>;
}

/** A part of something larger is copied: a message would carry all of it. */
const wholeBuffers = (feeds: Named): Named =>
  Object.fromEntries(
    Object.entries(feeds).map(([name, feed]) => {
      const { data } = feed;
      return [name, data.byteLength === data.buffer.byteLength ? feed : { ...feed, data: data.slice() }];
    }),
  );
