import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { resolve } from "node:path";

export interface Demo {
  readonly url: string;
  readonly child: ChildProcess;
}

/** `fivecrop demo` in a process of its own. */
export async function serveDemo(model: string): Promise<Demo> {
  const program = resolve(import.meta.dirname, "../../dist/cli.js");
  const child = spawn(process.execPath, [program, "demo", "--port", "0", "--json", "--model", model]);
  const [line] = await Promise.race([
    once(child.stdout, "data"),
    once(child.stderr, "data").then((said) => Promise.reject(new Error(`${said}`))),
  ]);
  return { url: JSON.parse(String(line)).url, child };
}
