import type { ForeignModel } from "../../browser.ts";
import type { Answer, Backend, Classified, Explained, Loaded, ModelSource, Progress, Reply, Request } from "./messages.ts";

/** A model that is to be used once its labels and preprocessing are said. */
export class Unsaid extends Error {
  constructor(
    message: string,
    readonly foreign: ForeignModel,
  ) {
    super(message);
  }
}

interface Waiting {
  readonly done: (answer: Answer) => void;
  readonly failed: (error: Error) => void;
  readonly onProgress: (progress: Progress) => void;
}

/** A worker, as functions. */
export interface Client {
  readonly backend: Backend;
  /**
   * Loads a model in place of the one before, and tries it.
   * @throws Unsaid where nobody says its labels and preprocessing. Error where it cannot be fetched, is no classifier, or the backend cannot run it or is wrong.
   */
  load(model: ModelSource, onProgress: (progress: Progress) => void): Promise<Loaded>;
  /** @throws Error where the picture cannot be read. */
  classify(picture: Blob): Promise<Classified>;
  /** @throws Error where the picture cannot be read, or the model cannot be explained. */
  explain(picture: Blob): Promise<Explained>;
  /** Ends the worker, also in the midst of something. */
  close(reason: string): void;
}

/** Starts a worker. */
export function createClient(backend: Backend): Client {
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
    if (data.kind === "failed") one?.failed(data.foreign ? new Unsaid(data.message, data.foreign) : new Error(data.message));
    else one?.done(data);
  });
  const fail = (reason: string): void => {
    for (const { failed } of waiting.values()) failed(new Error(reason));
    waiting.clear();
  };
  worker.addEventListener("error", ({ message }) => fail(`The page's worker stopped: ${message || "it could not be loaded"}.`));
  const ask = (request: Request, onProgress: (progress: Progress) => void = () => undefined): Promise<Answer> =>
    new Promise((done, failed) => {
      const id = ++count;
      waiting.set(id, { done, failed, onProgress });
      worker.postMessage({ id, ...request });
    });
  return {
    backend,
    load: (model, onProgress) => ask({ kind: "load", model, backend }, onProgress) as Promise<Loaded>,
    classify: (picture) => ask({ kind: "classify", picture }) as Promise<Classified>,
    explain: (picture) => ask({ kind: "explain", picture }) as Promise<Explained>,
    close(reason) {
      worker.terminate();
      fail(reason);
    },
  };
}
