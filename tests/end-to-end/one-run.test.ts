import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { fivecrop, temporaryFolder } from "../cli/run.ts";

const TRAIN = [
  "train",
  "--model",
  "fashion-cnn",
  "--data",
  "fashion-mnist-sample",
  "--batch-size",
  "300",
  "--threads",
  "1",
  "--out",
  "run",
];

test("run.json says every number that optimizer and schedule take; a finished run says that it is, and where its model is", async () => {
  const cwd = await temporaryFolder();
  const made = await fivecrop([...TRAIN, "--epochs", "1", "--optimizer", "adamw", "--schedule", "one-cycle+warmup:5"], { cwd });
  expect([made.code, made.stderr]).toEqual([0, ""]);
  const { config } = JSON.parse(await readFile(join(cwd, "run", "run.json"), "utf8"));
  expect(config).toMatchObject({ beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0.01 });
  expect(config.schedule).toBe("one-cycle:0.3,25,10000/step+warmup:5/step");

  const again = await fivecrop(["train", "--resume", "run"], { cwd });
  expect([again.code, again.stderr]).toEqual([0, ""]);
  expect(again.stdout).toContain("This run is finished: nothing is left to train.\nBest epoch: 1 of 1");
  expect(again.stdout).toContain("\nrun/model.onnx: ");
  expect(again.stdout).not.toMatch(/Going on|epoch +loss/);
});

test("a run that stopped early is finished as well", async () => {
  const cwd = await temporaryFolder();
  const rate = ["--lr", "1e-30", "--patience", "1"]; // nothing changes: the second epoch is no better
  const { stdout } = await fivecrop([...TRAIN, "--epochs", "9", ...rate], { cwd });
  expect(stdout).toContain("No better epoch for 1: stopped early. Best epoch: 1 of 2");
  const again = await fivecrop(["train", "--resume", "run"], { cwd });
  expect(again.stdout).toContain(
    "This run is finished: nothing is left to train.\nNo better epoch for 1: stopped early. Best epoch: 1 of 2",
  );
});

test("while one process trains, others are refused and harm nothing; after a crash the next one goes on", async () => {
  const cwd = await temporaryFolder();
  const attempts: Promise<Awaited<ReturnType<typeof fivecrop>>>[] = [];
  const first = await fivecrop([...TRAIN, "--epochs", "30"], {
    cwd,
    onOutput(child, { stdout }) {
      if (attempts.length > 0 || !/ 1\/30 /.test(stdout)) return;
      attempts.push(fivecrop(["train", "--resume", "run"], { cwd }), fivecrop([...TRAIN, "--overwrite"], { cwd }));
      Promise.all(attempts).then(() => child.kill("SIGKILL"));
    },
  });
  expect(first.code).toBe(137);
  for (const { code, stdout, stderr } of await Promise.all(attempts)) {
    expect([code, stdout]).toEqual([1, ""]);
    expect(stderr).toMatch(/^fivecrop: the run in run is in use by process \d+\. To fix: wait until it ends[^\n]+run\/run\.lock\.\n$/);
  }
  expect(existsSync(join(cwd, "run", "run.lock"))).toBe(true);
  let stopped = false;
  const resumed = await fivecrop(["train", "--resume", "run"], {
    cwd,
    onOutput(child, { stdout }) {
      if (stopped || !/\n +\d+\/30 /.test(stdout)) return;
      stopped = true;
      child.kill("SIGINT");
    },
  });
  expect(resumed.code).toBe(130);
  expect(resumed.stdout).toMatch(/\nGoing on after step \d+ of 480\.\n/);
  expect(existsSync(join(cwd, "run", "run.lock"))).toBe(false);
});
