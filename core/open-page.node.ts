import { spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as after } from "node:timers/promises";
import type { BrowserProgram } from "./chromium.node.ts";
import { FivecropError } from "./errors.ts";

/** A browser that shows one page to nobody. */
export interface OpenPage {
  /** Rejects once the browser has ended by itself. */
  readonly ended: Promise<never>;
  close(): Promise<void>;
}

const FLAGS = [
  "--headless=new",
  "--remote-debugging-port=0", // without it the smallest Chromium ends once the page is loaded
  "--no-first-run",
  "--no-default-browser-check",
  "--disable-extensions",
  "--disable-background-networking",
];

/** Milliseconds in which a browser that is asked to end should have ended, and then what it started. */
const GRACE = 5000;

/** Opens an address in a browser without a window, with a profile of its own that goes away with it. */
export async function openPage({ executable, env, args, webgpu }: BrowserProgram, url: string): Promise<OpenPage> {
  const profile = await mkdtemp(join(tmpdir(), "fivecrop-browser-"));
  const child = spawn(executable, [...FLAGS, `--user-data-dir=${profile}`, ...webgpu, ...args, url], {
    env,
    stdio: ["ignore", "ignore", "pipe"],
  });
  const kill = () => child.kill("SIGKILL");
  process.once("exit", kill);
  let said = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    said = (said + text).slice(-2000);
  });
  const closed = new Promise<string>((resolve) => {
    child.once("error", ({ message }) => resolve(message));
    child.once("close", (code, signal) => resolve(`${signal ?? `exit code ${code}`}: ${said.trim().split("\n").at(-1)}`));
  });
  const exited = new Promise<void>((resolve) => {
    child.once("error", () => resolve());
    child.once("exit", () => resolve());
  });
  const ended = closed.then((why) => Promise.reject(new FivecropError(`the browser ${executable} has ended (${why})`)));
  ended.catch(() => undefined); // who waits for the page's answers hears of it
  return {
    ended,
    async close() {
      process.off("exit", kill);
      child.kill();
      const killing = setTimeout(kill, GRACE);
      await exited;
      clearTimeout(killing);
      await Promise.race([closed, after(GRACE, undefined, { ref: false })]); // what it started may hold its output for longer
      child.stderr.destroy();
      await rm(profile, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}
