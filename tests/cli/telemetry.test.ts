import { existsSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { fivecrop, picture, temporaryFolder } from "./run.ts";

/** ONNX Runtime's own rule is that none is sent from a test or a CI run, which these would hide behind. */
const AS_A_USER = { CI: "", ORT_RUNNING_UNIT_TESTS: "" };
const OPT_OUT = "ORT_DISABLE_TELEMETRY";

test("ONNX Runtime's telemetry is off, in a command and in its threads: nothing is written for it", async () => {
  const [home, cwd, TMPDIR] = await Promise.all([temporaryFolder(), temporaryFolder(), temporaryFolder()]);
  const env = { ...AS_A_USER, HOME: home, XDG_CACHE_HOME: join(home, ".cache"), TMPDIR };
  const { [OPT_OUT]: outside } = process.env;
  delete process.env[OPT_OUT];
  try {
    for (const args of [
      ["infer", picture("bag"), "--json"],
      ["train", "--model", "lenet-bn", "--data", "fashion-mnist-sample", "--epochs", "1", "--no-report", "--out", "run", "--json"],
    ]) {
      const { code, stderr } = await fivecrop(args, { cwd, env });
      expect(code, stderr).toBe(0);
    }
  } finally {
    if (outside !== undefined) process.env[OPT_OUT] = outside;
  }
  expect(existsSync(join(home, ".cache", "Microsoft"))).toBe(false);
  expect((await readdir(TMPDIR)).filter((name) => name.startsWith("mat-debug"))).toEqual([]);
});
