import { randomUUID } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { findBrowser } from "../core/chromium.node.ts";
import { FivecropError } from "../core/errors.ts";
import { fileReason } from "../core/file-error.ts";
import { type OpenPage, openPage } from "../core/open-page.node.ts";
import type { Device } from "../core/session.ts";
import { serveSite } from "../core/site-server.node.ts";
import { runtimeFiles } from "../core/web-runtime.node.ts";
import type { Verification } from "./verify-samples.ts";

/** What the page is to do. */
export interface Job {
  readonly devices: readonly Device[];
  /** Where it says what it found. */
  readonly inbox: string;
  /** The model's, for messages. */
  readonly name: string;
}

export type FromPage =
  | { readonly kind: "started"; readonly browser: string }
  | { readonly kind: "verified"; readonly device: Device; readonly verification: Verification }
  | { readonly kind: "failed"; readonly device: Device; readonly message: string };

/** What a device in a browser answered, or why it did not. */
export type BrowserResult = { readonly device: Device; readonly browser: string } & (
  | { readonly verification: Verification }
  | { readonly error: string }
);

export interface VerifyInBrowserOptions {
  readonly devices: readonly Device[];
  /** What an error's message calls the model. */
  readonly name: string;
  /** Ends the browser. */
  readonly signal?: AbortSignal;
  /** Seconds until the page has to have started, 120, and then to have answered for a device, 900. */
  readonly patience?: { readonly start: number; readonly device: number };
}

const BUILT = fileURLToPath(new URL(`${import.meta.url.endsWith(".ts") ? "../dist/inference/" : ""}verify-page/`, import.meta.url));
const PATIENCE = { start: 120, device: 900 };

/**
 * Replays the golden samples of a model in a browser of this machine, without a window: a page that this process serves does it, and says what it found.
 * @throws FivecropError where there is no browser, or it ends or says nothing; the signal's reason.
 */
export async function* verifyInBrowser(
  model: Uint8Array,
  { devices, name, signal, patience = PATIENCE }: VerifyInBrowserOptions,
): AsyncGenerator<BrowserResult> {
  const program = await findBrowser();
  const inbox = randomUUID();
  const site = new Map<string, Uint8Array>([["model.onnx", model]]);
  site.set("job.json", new TextEncoder().encode(JSON.stringify({ devices, inbox, name } satisfies Job)));
  for (const file of await builtFiles()) site.set(file, await readFile(join(BUILT, file)));
  for (const [file, content] of await runtimeFiles()) site.set(`runtime/${file}`, content);
  const messages = createQueue<FromPage>();
  const server = await serveSite(site, 0, { inbox: { path: inbox, onMessage: (text) => messages.put(JSON.parse(text)) } });
  let page: OpenPage | undefined;
  try {
    page = await openPage(program, server.url);
    const { ended } = page;
    const stopped = new Promise<never>((_, reject) => signal?.addEventListener("abort", () => reject(signal.reason), { once: true }));
    const next = (seconds: number, silence: string): Promise<FromPage> =>
      within(
        seconds,
        Promise.race([messages.take(), ended, stopped]),
        `the browser ${program.executable} ${silence} within ${seconds} seconds`,
      );
    signal?.throwIfAborted();
    const first = await next(patience.start, "opened no page");
    const browser = first.kind === "started" ? nameOf(first.browser) : program.executable;
    for (const device of devices) {
      const found = await next(patience.device, `said nothing of ${device}`);
      if (found.kind === "verified") yield { device: found.device, browser, verification: found.verification };
      if (found.kind === "failed") yield { device: found.device, browser, error: found.message };
    }
  } finally {
    await Promise.all([page?.close(), server.close()]);
  }
}

async function builtFiles(): Promise<string[]> {
  try {
    return await readdir(BUILT);
  } catch (cause) {
    throw new FivecropError(`the page for --browser is not built (${fileReason(cause)}). To fix: npm run build.`, { cause });
  }
}

/** @throws FivecropError where it takes longer. */
async function within<T>(seconds: number, awaited: Promise<T>, silence: string): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    const error = new FivecropError(`${silence}. To fix: name another one by CHROME=PROGRAM.`);
    timer = setTimeout(() => reject(error), seconds * 1000);
  });
  try {
    return await Promise.race([awaited, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** "Chrome 147" of a browser's own long name. */
const nameOf = (userAgent: string): string => /(Edg|Chrome)\/(\d+)/.exec(userAgent)?.slice(1, 3).join(" ") ?? userAgent;

/** Messages in their order, for one who takes them one by one. */
function createQueue<T>(): { put(message: T): void; take(): Promise<T> } {
  const waiting: T[] = [];
  let wake: ((message: T) => void) | undefined;
  return {
    put(message) {
      if (wake) wake(message);
      else waiting.push(message);
      wake = undefined;
    },
    take: () => (waiting.length > 0 ? Promise.resolve(waiting.shift() as T) : new Promise((resolve) => (wake = resolve))),
  };
}
