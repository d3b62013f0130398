import { afterAll, beforeAll, expect, test } from "vitest";
import { onSessions, readGolden } from "../training/golden.ts";
import { checkStep } from "../training/golden-checks.ts";
import { everything } from "../webgpu/adapter.ts";
import { openSessions } from "./page-sessions.ts";

/** Others take many minutes on a software adapter. */
const SMALL = everything ? ["lenet-bn", "fashion-cnn"] : ["lenet-bn"];
if (!everything)
  console.log("skipped: goldens on WebGPU in Chromium but lenet-bn's (too slow on a software adapter; FIVECROP_WEBGPU=all runs them)");

let sessions: Awaited<ReturnType<typeof openSessions>>;
beforeAll(async () => {
  sessions = await openSessions({ webgpu: true });
});
afterAll(() => sessions?.close());

test.each(SMALL)("%s on WebGPU in Chromium: PyTorch's logits, loss and gradients", { timeout: 600_000 }, async (name) => {
  await checkStep(readGolden(name), onSessions(sessions.createSession, "webgpu"));
  expect(sessions.complaints).toEqual([]);
});
