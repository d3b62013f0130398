// What runs the model: WebAssembly, WebGPU, or the faster of the two that answers rightly.
import { reasonOf } from "../../core/errors.ts";
import { type Client, createClient } from "./client.ts";
import { cropsText } from "./elements.ts";
import type { Backend, Loaded, ModelSource, Progress } from "./messages.ts";

export type Choice = Backend | "auto";

/** A model that is ready, and what is to be said of what runs it. */
export interface Opened {
  readonly client: Client;
  readonly loaded: Loaded;
  readonly note: string;
}

export interface OpenOptions {
  readonly choice: Choice;
  readonly onProgress: (progress: Progress) => void;
  /** Called when pictures can be classified, and again once WebGPU was tried. */
  readonly onOpened: (opened: Opened) => void;
  /** Settles once the page's files are stored, so that what is loaded later is stored too. */
  readonly stored: Promise<unknown>;
}

/** WebGPU has so long to load and prove itself, beside WebAssembly that answers meanwhile. */
const TRIAL_SECONDS = 20;

const NAMES: Readonly<Record<Backend, string>> = {
  wasm: crossOriginIsolated ? "WebAssembly with threads" : "WebAssembly with one thread (the page is not cross-origin isolated)",
  webgpu: "WebGPU",
};
export const nameOf = (backend: Backend): string => NAMES[backend];

const milliseconds = (time: number): string => `${time < 10 ? time.toFixed(1) : Math.round(time)} ms`;

/** "WebGPU, 9.1 ms for five crops. It answers the model's 3 golden samples rightly: no probability is off by more than 2e-7." */
function describe(backend: Backend, { time, crops, check }: Loaded): string {
  const within =
    check && `no probability is off by more than ${check.largestDifference === 0 ? "0" : check.largestDifference.toExponential(0)}`;
  const proof = !check
    ? "The model carries no golden samples to try it with."
    : check.against === "golden samples"
      ? `It answers the model's ${check.samples} golden samples rightly: ${within}.`
      : `The model carries no golden samples; on ${check.samples} generated pictures it answers as WebAssembly does: ${within}.`;
  return `${NAMES[backend]}, ${milliseconds(time)} for ${cropsText(crops)}. ${proof}`;
}

let clients: Partial<Record<Backend, Client>> = {};
let opening = 0;
/** Ends WebGPU's trial, while there is one. */
let endTrial: ((reason: string) => void) | undefined;

const clientOn = (backend: Backend): Client => {
  const client = clients[backend] ?? createClient(backend);
  clients = { ...clients, [backend]: client };
  return client;
};

function close(backend: Backend, reason: string): void {
  clients[backend]?.close(reason);
  clients = { ...clients, [backend]: undefined };
}

/** Another model or choice came meanwhile. */
class Superseded extends Error {}
export const isSuperseded = (error: unknown): boolean => error instanceof Superseded;

type Load = (backend: Backend, report?: (progress: Progress) => void) => Promise<Omit<Opened, "note">>;

/**
 * Opens a model. WebAssembly answers first; unless one backend was chosen, WebGPU is tried beside it after that.
 * @throws Error where the model cannot be read, or WebAssembly cannot run it rightly: the model before goes on.
 */
export async function openModel(model: ModelSource, options: OpenOptions): Promise<void> {
  const { choice, onProgress, onOpened } = options;
  const turn = ++opening;
  endTrial?.("another model was opened");
  const load: Load = async (backend, report = () => undefined) => {
    if (turn !== opening) throw new Superseded();
    const client = clientOn(backend);
    try {
      const loaded = await client.load(model, report);
      if (turn === opening) return { client, loaded };
    } catch (error) {
      if (turn === opening) throw error;
    }
    throw new Superseded();
  };
  if (choice === "webgpu") return openOnWebGpu(load, options);
  const wasm = await load("wasm", onProgress);
  const said = describe("wasm", wasm.loaded);
  onOpened({ ...wasm, note: choice === "auto" ? `${said} Trying WebGPU …` : said });
  if (choice === "wasm") close("webgpu", "WebAssembly was chosen.");
  else void tryWebGpu(load, wasm, options);
}

async function openOnWebGpu(load: Load, { onProgress, onOpened }: OpenOptions): Promise<void> {
  try {
    const gpu = await load("webgpu", onProgress);
    onOpened({ ...gpu, note: describe("webgpu", gpu.loaded) });
    close("wasm", "WebGPU was chosen.");
  } catch (error) {
    if (isSuperseded(error)) throw error;
    const wasm = await load("wasm", onProgress);
    onOpened({ ...wasm, note: `WebGPU is not used: ${reasonOf(error)}. ${describe("wasm", wasm.loaded)}` });
    close("webgpu", "WebAssembly is used.");
  }
}

/** Whatever comes of it is said in a note. */
async function tryWebGpu(load: Load, wasm: Omit<Opened, "note">, { stored, onOpened }: OpenOptions): Promise<void> {
  const said = describe("wasm", wasm.loaded);
  const end = (reason: string): void => close("webgpu", reason);
  endTrial = end;
  await stored;
  const timer = setTimeout(() => end(`it took more than ${TRIAL_SECONDS} seconds to start`), TRIAL_SECONDS * 1000);
  try {
    const gpu = await load("webgpu");
    if (gpu.loaded.time < wasm.loaded.time) {
      onOpened({ ...gpu, note: `${describe("webgpu", gpu.loaded)} WebAssembly takes ${milliseconds(wasm.loaded.time)}.` });
      close("wasm", "WebGPU is faster.");
    } else {
      onOpened({ ...wasm, note: `${said} WebGPU is right too and takes ${milliseconds(gpu.loaded.time)}.` });
      close("webgpu", "WebAssembly is faster.");
    }
  } catch (error) {
    if (isSuperseded(error)) return onOpened({ ...wasm, note: said }); // where the other model cannot be opened this one goes on
    close("webgpu", "WebAssembly is used.");
    onOpened({ ...wasm, note: `${said} WebGPU is not used: ${reasonOf(error)}.` });
  } finally {
    clearTimeout(timer);
    if (endTrial === end) endTrial = undefined;
  }
}
