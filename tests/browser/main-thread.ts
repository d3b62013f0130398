import type { Browser, Page } from "playwright-core";

interface TraceEvent {
  readonly name: string;
  readonly ph: string;
  readonly pid: number;
  readonly tid: number;
  /** Microseconds on the wall, and of the thread's own computing. */
  readonly dur?: number;
  readonly tdur?: number;
  readonly args?: { readonly name?: string };
}

/** Milliseconds of the longest task of a page's main thread. */
export interface LongestTask {
  /** Of computing: what a machine with free cores would wait for. */
  readonly computing: number;
  /** On the wall: with the time in which other programs had its core. */
  readonly wall: number;
  readonly tasks: number;
}

/** Does something while every task of the main thread is recorded. */
export async function longestTask(browser: Browser, page: Page, work: () => Promise<void>): Promise<LongestTask> {
  await browser.startTracing(page, { categories: ["toplevel", "__metadata"] });
  await work();
  const { traceEvents } = JSON.parse((await browser.stopTracing()).toString()) as { readonly traceEvents: readonly TraceEvent[] };
  const mains = new Set(
    traceEvents
      .filter(({ name, args }) => name === "thread_name" && args?.name === "CrRendererMain")
      .map(({ pid, tid }) => `${pid} ${tid}`),
  );
  const tasks = traceEvents.filter(({ ph, pid, tid, name }) => ph === "X" && name.includes("RunTask") && mains.has(`${pid} ${tid}`));
  const longest = (key: "dur" | "tdur"): number => tasks.reduce((most, task) => Math.max(most, task[key] ?? 0), 0) / 1e3;
  return { computing: longest("tdur"), wall: longest("dur"), tasks: tasks.length };
}
