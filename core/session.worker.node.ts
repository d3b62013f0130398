import { type Calls, createCalls } from "./calls.node.ts";
import { FivecropError } from "./errors.ts";
import type { SessionAnswer, SessionQuestion, SessionThreadData } from "./session.thread.node.ts";
import type { Named, Session, SessionMaker, SessionOptions } from "./session.ts";

/**
 * Runs a model with onnxruntime-node on the CPU, in a thread of its own: the event loop stays free. Runs are answered in the order of their calls.
 * Results come by ownership, and with `giveFeeds` feeds go by it; otherwise they are copied. `dispose` rejects what still runs, and ends the thread after the run that it is in.
 * @throws FivecropError where the package was not built, or ONNX Runtime cannot load the model.
 */
export const createSession: SessionMaker = async (model, options: SessionOptions = {}): Promise<Session> => {
  const data: SessionThreadData = { model, options };
  const calls: Calls<SessionQuestion, SessionAnswer> = createCalls("core/session.thread.node", data, "the thread of the session");
  let disposed: Promise<void> | undefined;
  try {
    const { inputs, outputs } = await askFor(calls, "opened", { kind: "open" });
    return {
      inputs,
      outputs,
      async run(feeds, fetches) {
        const names = fetches && (Array.isArray(fetches) ? (fetches as readonly string[]) : Object.keys(fetches));
        const whole = wholeBuffers(feeds);
        const { results } = await askFor(
          calls,
          "ran",
          { kind: "run", feeds: whole, fetches: names },
          options.giveFeeds ? buffersOf(whole) : [],
        );
        if (!fetches || Array.isArray(fetches)) return results;
        const into = fetches as Named;
        for (const name in into) (into[name].data as Float32Array).set(results[name].data as Float32Array);
        return into;
      },
      dispose: () => (disposed ??= calls.dispose()),
    };
  } catch (error) {
    await calls.dispose();
    throw error;
  }
};

type Kind = SessionAnswer["kind"];

async function askFor<K extends Kind>(
  calls: Calls<SessionQuestion, SessionAnswer>,
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

/** Each tensor's memory, once. */
const buffersOf = (tensors: Named): ArrayBuffer[] => [...new Set(Object.values(tensors).map(({ data }) => data.buffer as ArrayBuffer))];
