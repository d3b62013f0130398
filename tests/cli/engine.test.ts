import { existsSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { expect, test } from "vitest";
import { fivecrop, temporaryFolder } from "./run.ts";

const train = ["train", "--model", "lenet-bn", "--data", "fashion-mnist-sample", "--epochs", "1"];
const HERE = resolve(import.meta.dirname, "../..");

/** What an engine that is not to be had says; nothing is left behind. */
async function refused(options: readonly string[], FIVECROP_TFJS: string): Promise<{ readonly code: number; readonly stderr: string }> {
  const out = join(await temporaryFolder(), "run");
  const { code, stderr } = await fivecrop([...train, "--out", out, ...options], { env: { FIVECROP_TFJS } });
  expect(existsSync(out)).toBe(false);
  return { code, stderr };
}

test("an engine whose packages are not there is an error with the line that adds them, and no other takes its place", async () => {
  const parent = await temporaryFolder();
  const empty = join(parent, "empty");
  const elsewhere = join(parent, "node_modules/@tensorflow/tfjs");
  await Promise.all([empty, elsewhere].map((folder) => mkdir(folder, { recursive: true })));
  await writeFile(join(elsewhere, "package.json"), "{}");
  const { code, stderr } = await refused(["--engine", "tfjs"], empty);
  expect(code).toBe(1);
  expect(stderr).toContain("the engine tfjs needs a package of TensorFlow.js, found none. To fix: npm install @tensorflow/tfjs-node ");
});

test.each([
  ["an unknown engine", ["--engine", "tfj"], HERE, 2, "unknown engine 'tfj'. Did you mean 'tfjs'? There are: onnxruntime, tfjs, auto."],
  [
    "threads of plain TensorFlow.js",
    ["--engine", "tfjs", "--threads", "2"],
    HERE,
    2,
    "--threads: @tensorflow/tfjs has one thread, received 2.",
  ],
  [
    "a folder that is not there",
    ["--engine", "tfjs"],
    "/no/such/folder",
    1,
    "FIVECROP_TFJS: expected a folder whose node_modules has TensorFlow.js",
  ],
] as const)("%s is refused", async (_, options, folder, code, message) => {
  const finished = await refused(options, folder);
  expect(finished.stderr).toContain(message);
  expect(finished.code).toBe(code);
});
