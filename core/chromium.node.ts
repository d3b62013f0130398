import { existsSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { FivecropError, messageOf } from "./errors.ts";

/** A Chromium that can be started. */
export interface BrowserProgram {
  readonly executable: string;
  readonly env: NodeJS.ProcessEnv;
  /** What it needs to be told on this machine. */
  readonly args: readonly string[];
  /** And for WebGPU. */
  readonly webgpu: readonly string[];
}

export const HOW_TO_GET_A_BROWSER =
  "install Chrome or Chromium, or name its program by CHROME=PROGRAM, or on Linux x64: npm install --save-dev @sparticuz/chromium";

const NAMES = ["google-chrome", "google-chrome-stable", "chromium", "chromium-browser", "microsoft-edge"];
const PLACES = [
  "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
  "/Applications/Chromium.app/Contents/MacOS/Chromium",
  ...["PROGRAMFILES", "PROGRAMFILES(X86)", "LOCALAPPDATA"].flatMap((name) => {
    const folder = process.env[name];
    return folder ? [join(folder, "Google/Chrome/Application/chrome.exe"), join(folder, "Microsoft/Edge/Application/msedge.exe")] : [];
  }),
];

/** Chromium's sandbox refuses to run for root. */
const SANDBOX = process.getuid?.() === 0 ? ["--no-sandbox"] : [];
/** On Linux WebGPU waits behind these. */
const WEBGPU = ["--enable-unsafe-webgpu", ...(process.platform === "linux" ? ["--enable-features=Vulkan"] : [])];

const SOFTWARE_ADAPTER = "--use-webgpu-adapter=swiftshader";

/** The one that CHROME names. @throws FivecropError where that is no file. */
export function namedBrowser({ CHROME, CHROME_FLAGS = "" } = process.env): BrowserProgram | undefined {
  if (!CHROME) return undefined;
  if (!existsSync(CHROME)) throw new FivecropError(`CHROME: expected a program, found nothing at ${CHROME}.`);
  return { executable: CHROME, env: process.env, args: [...SANDBOX, ...CHROME_FLAGS.split(" ").filter(Boolean)], webgpu: WEBGPU };
}

/** One that is installed on this machine. */
export function installedBrowser(): BrowserProgram | undefined {
  const folders = (process.env.PATH ?? "").split(delimiter).filter(Boolean);
  const executable = [...folders.flatMap((folder) => NAMES.map((name) => join(folder, name))), ...PLACES].find((file) => existsSync(file));
  return executable ? { executable, env: process.env, args: SANDBOX, webgpu: WEBGPU } : undefined;
}

/** Where npm's Chromium unpacks its shared libraries. */
const LIBRARIES = join(tmpdir(), "al2023", "lib");

/**
 * The Chromium of the package @sparticuz/chromium, where that is installed. It brings its shared libraries, which it unpacks where it believes to be on
 * Amazon's Linux, and draws by software: so does its WebGPU.
 */
export async function npmBrowser(): Promise<BrowserProgram | undefined> {
  if (process.platform !== "linux" || process.arch !== "x64") return undefined;
  const { AWS_EXECUTION_ENV, LD_LIBRARY_PATH } = process.env;
  process.env.AWS_EXECUTION_ENV = "AWS_Lambda_nodejs20.x";
  try {
    const { default: chromium } = await import("@sparticuz/chromium");
    const executable = await chromium.executablePath();
    const env = { ...process.env, AWS_EXECUTION_ENV, LD_LIBRARY_PATH: [LIBRARIES, LD_LIBRARY_PATH].filter(Boolean).join(":") };
    return { executable, env, args: ["--no-sandbox"], webgpu: [...WEBGPU, SOFTWARE_ADAPTER] };
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === "ERR_MODULE_NOT_FOUND") return undefined;
    throw new FivecropError(`the Chromium of @sparticuz/chromium cannot be unpacked: ${messageOf(cause)}`, { cause });
  } finally {
    restore("AWS_EXECUTION_ENV", AWS_EXECUTION_ENV);
    restore("LD_LIBRARY_PATH", LD_LIBRARY_PATH);
  }
}

function restore(name: string, value: string | undefined): void {
  if (value === undefined) delete process.env[name];
  else process.env[name] = value;
}

/** @throws FivecropError that says how to get one, where there is none. */
export async function findBrowser(): Promise<BrowserProgram> {
  const found = namedBrowser() ?? installedBrowser() ?? (await npmBrowser());
  if (!found) throw new FivecropError(`no browser was found. To fix: ${HOW_TO_GET_A_BROWSER}.`);
  return found;
}
