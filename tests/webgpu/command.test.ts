import { existsSync } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { verifyModel } from "../../inference/golden-samples.node.ts";
import type { EpochRecord } from "../../training/progress.ts";
import { fivecrop, jsonLines, temporaryFolder } from "../cli/run.ts";
import { smallFile } from "../fine-tune/files.ts";
import { classes, writeTree } from "../pipeline/make-pictures.ts";
import { hasAdapter } from "./adapter.ts";

const PREPROCESS = '{"resize":10,"filter":"bilinear","crop":[8,8],"channels":3,"mean":[0.5,0.5,0.5],"std":[0.5,0.5,0.5]}';
const WHAT = ["train", "--model", "small.onnx", "--data", "folder:photos", "--preprocess", PREPROCESS];
const HOW = ["--freeze", "none", "--batch-size", "5", "--validation", "2", "--lr", "0.01", "--no-report"];

const EPOCHS = 4;

describe.skipIf(!(await hasAdapter("train --device webgpu")))("train --device webgpu", () => {
  test("proves the device, trains, is stopped, goes on and exports: the cpu's losses all the way", { timeout: 300_000 }, async () => {
    const cwd = await temporaryFolder();
    await writeTree(join(cwd, "photos"), classes(["a", "b"], 6));
    await writeFile(join(cwd, "small.onnx"), smallFile());
    const env = { XDG_CACHE_HOME: join(cwd, "cache") };
    const begin = [...WHAT, ...HOW, "--epochs", String(EPOCHS), "--json"];

    const cpu = await fivecrop([...begin, "--device", "cpu", "--out", "cpu"], { cwd, env });
    expect([cpu.code, cpu.stderr]).toEqual([0, expect.any(String)]);
    const sent = { done: false };
    const stopped = await fivecrop([...begin, "--device", "webgpu", "--out", "gpu"], {
      cwd,
      env,
      onOutput: (child, { stdout }) => {
        if (!sent.done && stdout.includes('"kind":"step"')) sent.done = child.kill("SIGINT");
      },
    });
    expect([stopped.code, stopped.stderr]).toEqual([130, expect.stringContaining("Stopping after this step")]);
    const proof = { kind: "engine", device: "webgpu", why: "it was asked for", check: { device: "webgpu", against: "cpu", images: 5 } };
    expect(jsonLines(stopped.stdout)).toContainEqual(expect.objectContaining({ ...proof, check: expect.objectContaining(proof.check) }));
    expect(existsSync(join(cwd, "gpu", "last.safetensors"))).toBe(true);

    const resumed = await fivecrop(["train", "--resume", "gpu", "--no-report", "--json"], { cwd, env });
    expect([resumed.code, resumed.stderr]).toEqual([0, expect.any(String)]);
    expect(jsonLines(resumed.stdout)).toContainEqual(expect.objectContaining({ kind: "engine", device: "webgpu" }));
    const [wanted, found] = [cpu, resumed].map(
      ({ stdout }) => jsonLines(stdout).find(({ kind }) => kind === "end")?.history as EpochRecord[],
    );
    expect([wanted.length, found.length]).toEqual([EPOCHS, EPOCHS]);
    for (const [i, { trainingLoss, validationLoss = 0 }] of wanted.entries()) {
      expect(Math.abs(found[i].trainingLoss - trainingLoss) / trainingLoss, `training, epoch ${i + 1}`).toBeLessThan(1e-3);
      expect(Math.abs((found[i].validationLoss ?? 0) - validationLoss) / validationLoss, `validation, epoch ${i + 1}`).toBeLessThan(1e-3);
    }
    const { samples, divergence } = await verifyModel(await readFile(join(cwd, "gpu", "model.onnx")));
    expect([samples, divergence]).toEqual([3, undefined]);
  });
});
