import type { Answer, Classified, Loaded, ModelSource, Progress, Reply, Request } from "./messages.ts";

interface Waiting {
  readonly done: (answer: Answer) => void;
  readonly failed: (error: Error) => void;
  readonly onProgress: (progress: Progress) => void;
}

/** The worker, as functions. */
export interface Client {
  /** @throws Error where it cannot be fetched, or is no classifier that says its labels and preprocessing. */
  load(model: ModelSource, onProgress: (progress: Progress) => void): Promise<Loaded>;
  /** @throws Error where the picture cannot be read. */
  classify(picture: Blob): Promise<Classified>;
}

/** Starts the worker. */
export function createClient(): Client {
  const worker = new Worker(new URL("worker.js", document.baseURI), { type: "module" });
  const waiting = new Map<number, Waiting>();
  let count = 0;
  worker.addEventListener("message", ({ data }: MessageEvent<Reply>) => {
    const one = waiting.get(data.id);
    if (data.kind === "progress") {
      one?.onProgress(data);
      return;
    }
    waiting.delete(data.id);
    if (data.kind === "failed") one?.failed(new Error(data.message));
    else one?.done(data);
  });
  worker.addEventListener("error", ({ message }) => {
    for (const { failed } of waiting.values()) failed(new Error(`The page's worker stopped: ${message || "it could not be loaded"}.`));
    waiting.clear();
  });
  const ask = (request: Request, onProgress: (progress: Progress) => void = () => undefined): Promise<Answer> =>
    new Promise((done, failed) => {
      const id = ++count;
      waiting.set(id, { done, failed, onProgress });
      worker.postMessage({ id, ...request });
    });
  return {
    load: (model, onProgress) => ask({ kind: "load", model }, onProgress) as Promise<Loaded>,
    classify: (picture) => ask({ kind: "classify", picture }) as Promise<Classified>,
  };
}
