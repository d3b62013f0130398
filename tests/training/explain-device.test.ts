import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { PROGRAM } from "../../core/command-line.node.ts";
import { DeviceLostError, DeviceMemoryError, FivecropError } from "../../core/errors.ts";
import { createSession } from "../../core/session.node.ts";
import type { Device, SessionMaker } from "../../core/session.ts";
import { adaptiveAveragePool2d, conv2d, flatten, linear, relu, sequential } from "../../models/layers/index.ts";
import { network } from "../../models/network.ts";
import { createOnnxRuntimeEngine } from "../../training/engines/onnxruntime.ts";
import { explainDeviceError, type FailedRun } from "../../training/explain-device.node.ts";
import { sgd } from "../../training/optimizers.ts";
import { temporaryFolder } from "../cli/run.ts";
import { batchOf } from "./batch-of.ts";
import { withMemoryFor } from "./runtime.ts";

const pooled = network("pooled", sequential([conv2d(2, 3), relu, adaptiveAveragePool2d(1), flatten, linear(3)]), { input: [1, 8, 8] });
const out = await temporaryFolder();
const fresh = { out, batchSize: 8, begun: false, resumed: false } satisfies FailedRun;

const explained = async (error: unknown, run: FailedRun = fresh, device: Device = "cpu", make: SessionMaker = createSession) => {
  const create = () => createOnnxRuntimeEngine({ network: pooled, optimizer: sgd(), createSession: make });
  return ((await explainDeviceError(error, run, { device, create })) as Error).message;
};

/** The error of a step of this shape that an engine throws where memory is short. */
async function shortOf(make: SessionMaker, [N, ...image]: readonly [number, number, number, number]): Promise<unknown> {
  const engine = createOnnxRuntimeEngine({ network: pooled, optimizer: sgd(), createSession: make });
  await engine.initialize({ seed: 0 });
  const error = await engine.train([batchOf(N, image, 3)], [0.1]).catch((thrown: unknown) => thrown);
  await engine.dispose();
  expect(error).toBeInstanceOf(DeviceMemoryError);
  return error;
}

test("before a run has begun: the batch that fits", async () => {
  expect(await explained(new DeviceMemoryError("no memory"))).toBe(
    "cpu has not the memory for batches of 8: batches of 4 fit, as a step of noise has shown. To fix: --batch-size 4. (no memory)",
  );
});

test("with --sizes: the stage whose batches do not fit is tried, and named", async () => {
  const sizes = [
    { size: 6, epochs: 10, batchSize: 32 },
    { size: 7, epochs: 2 },
  ];
  const memory = withMemoryFor(([N, , H, W]) => N * H * W <= 8 * 8 * 8); // 8 at full size, 14 at 6 pixels
  const error = await shortOf(memory, [32, 1, 6, 6]);
  const message = await explained(error, { ...fresh, sizes }, "cuda", memory);
  expect(message).toContain("cuda has not the memory for batches of 32 images of 6×6: batches of 8 fit, as a step of noise has shown. ");
  expect(message).toContain("To fix: --sizes 6:10:8,7:2. (");
  const full = withMemoryFor(([N, , H, W]) => N * H * W <= 4 * 8 * 8);
  expect(await explained(await shortOf(full, [8, 1, 8, 8]), { ...fresh, sizes }, "cuda", full)).toContain("To fix: --batch-size 4. (");
});

test("once it has begun, its directory is in use; and a run that is resumed keeps its batches", async () => {
  const error = new DeviceMemoryError("no memory");
  expect(await explained(error, { ...fresh, begun: true })).toContain(
    "To fix: train anew with --batch-size 4 and --overwrite, or another --out. (",
  );
  const resumed = { ...fresh, begun: true, resumed: true };
  expect(await explained(error, resumed, "webgpu")).toContain(
    "a run that has begun keeps its batches. To fix: train anew with --batch-size 4 and --overwrite, or another --out, " +
      `or go on where there is more: ${PROGRAM} train --resume ${out} --device cpu. (`,
  );
  expect(await explained(error, resumed)).not.toContain("--device");
});

test("not even one image; or a device that does not recover", async () => {
  const error = new DeviceMemoryError("no memory");
  expect(
    await explained(
      error,
      fresh,
      "cuda",
      withMemoryFor(() => false),
    ),
  ).toContain("not even 1 image fits. To fix: choose smaller images");
  const broken: SessionMaker = () => Promise.reject(new FivecropError("it is gone"));
  expect(await explained(error, fresh, "cuda", broken)).toContain("could not be tried after that. To fix: --batch-size 4. (");
});

test("lost: how to go on, once there is a checkpoint of this run", async () => {
  expect(await explained(new DeviceLostError("gone"))).toBe("cpu was lost: gone. There is no checkpoint yet. To fix: train anew.");
  const begun = { ...fresh, begun: true };
  expect(await explained(new DeviceLostError("gone"), begun, "webgpu")).toContain("To fix: train anew, or on --device cpu.");
  await writeFile(join(out, "last.safetensors"), "");
  expect(await explained(new DeviceLostError("gone"))).toContain("There is no checkpoint yet.");
  const resume = `${PROGRAM} train --resume ${out}`;
  expect(await explained(new DeviceLostError("gone"), begun, "webgpu")).toBe(
    `webgpu was lost: gone. The last checkpoint is whole. To go on from it: ${resume}, or on the processor: ${resume} --device cpu.`,
  );
});

test("another error stays", async () => {
  expect(await explained(new FivecropError("something else"))).toBe("something else");
});
