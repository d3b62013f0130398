import * as ort from "onnxruntime-web";
import { FivecropError, messageOf, UsageError } from "./errors.ts";
import { isFallback, makerOn, NO_FALLBACK, type Runtime, sessionMaker } from "./session.runtime.ts";
import type { Session, SessionMaker } from "./session.ts";

const wasm = sessionMaker(ort, {
  options: () => ({ executionProviders: ["wasm"], enableMemPattern: false, logSeverityLevel: 4 }),
  writesInPlace: false,
});

/** What TypeScript's own library does not know yet. */
interface WithGpu {
  readonly gpu?: { requestAdapter(): Promise<object | null> };
}

/** @throws FivecropError where there is no WebGPU. */
async function checkAdapter(): Promise<void> {
  const { gpu } = navigator as WithGpu;
  const found = gpu ? ((await gpu.requestAdapter()) ? undefined : "no graphics adapter for it") : "no WebGPU";
  if (found) throw new FivecropError(`this browser has ${found}. To fix: another browser or its settings, or choose the device wasm.`);
}

const ON_CPU =
  "WebGPU does not run all of this graph: some of its operators would run on the processor. " +
  "To fix: choose the device wasm. (In Node, `fivecrop verify MODEL --device webgpu` names the operators.)";

let runtime: Promise<Runtime> | undefined;
let last: Promise<unknown> = Promise.resolve();

/** This runtime does one thing at a time, whichever session it is asked of. */
function inTurn<T>(work: () => Promise<T>): Promise<T> {
  const done = last.then(work);
  last = done.catch(() => undefined);
  return done;
}

/** WebGPU's runtime is another file, loaded where it is asked for. */
async function loadRuntime(): Promise<Runtime> {
  runtime ??= import("onnxruntime-web/webgpu");
  try {
    return await runtime;
  } catch (cause) {
    runtime = undefined;
    throw new FivecropError(`the runtime for WebGPU cannot be loaded: ${messageOf(cause)}`, { cause });
  }
}

const webgpu: SessionMaker = async (model, options): Promise<Session> => {
  await checkAdapter();
  const make = sessionMaker(await loadRuntime(), {
    options: () => ({ executionProviders: ["webgpu"], extra: NO_FALLBACK, logSeverityLevel: 4 }),
    writesInPlace: false,
    keeps: true,
    explain: async (message) => (isFallback(message) ? ON_CPU : undefined),
  });
  const session = await inTurn(() => make(model, options));
  return {
    ...session,
    run: (feeds, fetches) => inTurn(() => session.run(feeds, fetches)),
    ...(session.runOnDevice && { runOnDevice: (feeds, fetches) => inTurn(() => session.runOnDevice!(feeds, fetches)) }),
    dispose: () => inTurn(() => session.dispose()),
  };
};

/**
 * Runs a model with onnxruntime-web: as WebAssembly, with threads where the page is cross-origin isolated, or on WebGPU.
 * @throws UsageError for a number of threads, which a page's sessions share.
 */
export const createSession: SessionMaker = async (model, options = {}) => {
  if (options.threads !== undefined)
    throw new UsageError(
      `threads: a session in a page has no number of its own, received ${options.threads}. To fix: leave it out, and set env.wasm.numThreads of onnxruntime-web before the first session.`,
    );
  return makerOn({ wasm, webgpu }, options.device ?? "wasm")(model, options);
};
