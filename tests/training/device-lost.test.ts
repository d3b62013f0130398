import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { deviceFault } from "../../core/device-fault.ts";
import { createSession } from "../../core/session.node.ts";
import type { SessionMaker } from "../../core/session.ts";
import { type RunOptions, run } from "../../training/run.node.ts";
import { DEFAULTS, type RunConfig } from "../../training/run-config.ts";
import { temporaryFolder } from "../cli/run.ts";
import { tinyData } from "./tiny-data.ts";

const config: RunConfig = { ...DEFAULTS, model: "lenet-bn", data: "fashion-mnist", epochs: 3, batchSize: 2, validation: 2, ema: 0.9 };

async function train(options: RunOptions): Promise<string[]> {
  const kinds: string[] = [];
  for await (const { kind } of run(config, { report: false, ...options })) kinds.push(kind);
  return kinds;
}

/** A runtime that loses its device at a step of the run, counted from 1, and has lost it from then on. */
function losing(at: number): SessionMaker {
  let steps = 0;
  return async (model, options) => {
    const session = await createSession(model, options);
    return {
      ...session,
      run(feeds, fetches) {
        if (feeds.targets) steps++;
        if (steps >= at) return Promise.reject(deviceFault("the training step", new Error("WebGPU device lost (1): VK_ERROR_DEVICE_LOST")));
        return session.run(feeds, fetches);
      },
    };
  };
}

/** What of a run's history does not depend on how long it took. */
const historyOf = async (out: string): Promise<string[]> =>
  (await readFile(join(out, "history.csv"), "utf8"))
    .trim()
    .split("\n")
    .map((line) => line.split(",").slice(0, 5).join());

test("a device that is lost in the second epoch leaves the first one's checkpoint, from which the run ends as one that was not broken", async () => {
  const [dataRoot, parent] = await Promise.all([tinyData(), temporaryFolder()]);
  const [whole, broken] = ["whole", "broken"].map((name) => join(parent, name));
  await train({ out: whole, dataRoot });
  await expect(train({ out: broken, dataRoot, createSession: losing(4) })).rejects.toThrow(
    /^cpu was lost: .*device lost.*\. The last checkpoint is whole\. To go on from it: .*fivecrop train --resume \S+broken\.$/,
  );
  expect(await historyOf(broken)).toEqual((await historyOf(whole)).slice(0, 2));
  const kinds = await train({ out: broken, dataRoot, resume: true });
  expect(kinds).toContain("exported");
  expect(await historyOf(broken)).toEqual(await historyOf(whole));
  const [a, b] = await Promise.all([whole, broken].map((out) => readFile(join(out, "last.safetensors"))));
  expect(tensorsOf(b).equals(tensorsOf(a))).toBe(true);
}, 300_000);

/** Of a safetensors file what follows its header, which holds times. */
const tensorsOf = (file: Buffer): Buffer => file.subarray(8 + Number(file.readBigUInt64LE(0)));
