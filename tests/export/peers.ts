import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";

/** Python with PyTorch, onnx and onnxruntime: PEERS is the folder that holds its venv. Without it the tests that need it are skipped. */
const python = process.env.PEERS && join(process.env.PEERS, "venv", "bin", "python");
export const hasPeers = Boolean(python && existsSync(python));

/** Says once, in the test's output, why tests with Python are skipped. */
export const needPeers = (what: string): boolean => {
  if (!hasPeers) console.log(`skipped: ${what} (set PEERS to the folder with venv/bin/python)`);
  return hasPeers;
};

/** Runs a Python script with arguments. @returns what it prints. */
export const runPython = (script: string, ...args: readonly string[]): string =>
  execFileSync(python ?? "", ["-c", script, ...args], { encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });
