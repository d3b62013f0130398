import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { deviceFault } from "../../core/device-fault.ts";
import { DeviceLostError, DeviceMemoryError, FivecropError } from "../../core/errors.ts";
import { createSession } from "../../core/session.node.ts";
import type { SessionMaker } from "../../core/session.ts";
import { flatten, linear, relu, sequential } from "../../models/layers/index.ts";
import { network } from "../../models/network.ts";
import { checkTrainingDevice } from "../../training/device-check.ts";
import { createOnnxRuntimeEngine } from "../../training/engines/onnxruntime.ts";
import { fittingBatch } from "../../training/fitting-batch.ts";
import { explainDeviceError } from "../../training/open-engine.node.ts";
import { adam, sgd } from "../../training/optimizers.ts";
import { temporaryFolder } from "../cli/run.ts";

const tiny = network("tiny", sequential([flatten, linear(5), relu, linear(3)]), { input: [1, 4, 4] });

/** What a runtime does to a step's results, or says instead. */
const runtimeThat =
  (change: (results: Record<string, Float32Array>, images: number) => void): SessionMaker =>
  async (model, options) => {
    const session = await createSession(model, options);
    return {
      ...session,
      async run(feeds, fetches) {
        const results = await session.run(feeds, fetches);
        change(Object.fromEntries(Object.entries(results).map(([name, { data }]) => [name, data as Float32Array])), feeds.images.shape[0]);
        return results;
      },
    };
  };

const check = (other: SessionMaker, optimizer = sgd()) =>
  checkTrainingDevice({
    device: "webgpu",
    processor: "cpu",
    images: 4,
    engineOn: (device) => createOnnxRuntimeEngine({ network: tiny, optimizer, createSession: device === "cpu" ? createSession : other }),
  });

describe("the check before a device trains", () => {
  test.each([sgd(), sgd({ momentum: 0.9 }), adam()])("$name: a right one passes, with its numbers", async (optimizer) => {
    const found = await check(createSession, optimizer);
    expect(found).toMatchObject({ device: "webgpu", against: "cpu", images: 4, loss: 0, variable: 0 });
    expect(found.seconds.device).toBeGreaterThan(0);
  });

  test.each([
    ["a wrong loss", sgd(), (name: string) => name === "loss", 0.5, /its loss is 0\.\d+, the loss of cpu 1\.\d+/],
    [
      "a wrong weight",
      sgd(),
      (name: string) => name.startsWith("3.weight"),
      1.5,
      /the change of '3\.weight' differs by [\d.e+]+ % of it, expected at most 5 %/,
    ],
    ["a wrong slot", sgd({ momentum: 0.9 }), (name: string) => name.includes("1.bias"), 2, /'1\.bias\/velocity' differs by/],
    ["no numbers", adam(), () => true, Number.NaN, /its loss is NaN/],
  ])("%s is refused", async (_what, optimizer, isWrong, factor, message) => {
    const wrong = runtimeThat((results) => {
      for (const [name, data] of Object.entries(results)) if (isWrong(name)) data.set(data.map((value) => value * factor));
    });
    await expect(check(wrong, optimizer)).rejects.toThrow(message);
    await expect(check(wrong, optimizer)).rejects.toThrow("To fix: update the graphics driver, or choose the device cpu.");
  });
});

test.each([
  [
    DeviceMemoryError,
    "WebGPU validation failed. [Invalid Buffer (unlabeled)] is invalid due to a previous error.\n - While validating entries[2]",
  ],
  [
    DeviceMemoryError,
    "Non-zero status code returned while running Relu node. Name:'Relu' Status Message: shader_helper.cc:306 Too many storage buffers in shader. Current: 20, Max is 12",
  ],
  [
    DeviceMemoryError,
    "bfc_arena.cc:368 void* onnxruntime::BFCArena::AllocateRawInternal(size_t, bool) Failed to allocate memory for requested buffer of size 2830172160",
  ],
  [DeviceMemoryError, "CUDA failure 2: out of memory ; GPU=0"],
  [DeviceLostError, "WebGPU device lost (1): vkQueueSubmit failed with VK_ERROR_DEVICE_LOST"],
  [DeviceLostError, "CUDA failure 700: an illegal memory access was encountered ; GPU=0"],
  [FivecropError, "Conv3D does not support grouped convolution (group=2)."],
])("what the runtime says is a %o", (kind, said) => {
  const fault = deviceFault("the training step", new Error(said));
  expect(fault.constructor).toBe(kind);
  expect(fault.message).toContain("the training step: ONNX Runtime could not run its graph: ");
});

/** A runtime with memory for so many images, which says what CUDA's says. */
const withMemoryFor = (most: number): SessionMaker =>
  runtimeThat((_results, images) => {
    if (images > most)
      throw deviceFault("the training step", new Error("Failed to allocate memory for requested buffer of size 939524096"));
  });

test.each([
  [16, 3, 2],
  [16, 8, 8],
  [7, 2, 1],
  [4, 0, undefined],
])("a batch of %i, with memory for %i: %s fit", async (batchSize, most, fits) => {
  const make = () => createOnnxRuntimeEngine({ network: tiny, optimizer: sgd(), createSession: withMemoryFor(most) });
  expect(await fittingBatch(batchSize, make)).toBe(fits);
});

describe("a run's device that fails", async () => {
  const out = await temporaryFolder();
  const about = { network: tiny, optimizer: sgd(), device: "cpu", batchSize: 8, out, program: "fivecrop" } as const;
  const messageOf = async (error: unknown) => ((await explainDeviceError(error, about, "cpu")) as Error).message;

  test("out of memory: the batch that fits", async () => {
    expect(await messageOf(new DeviceMemoryError("no memory"))).toBe(
      "cpu has not the memory for batches of 8: batches of 4 fit, as a step of noise has shown. To fix: --batch-size 4. (no memory)",
    );
  });

  test("lost: how to go on, once there is a checkpoint", async () => {
    expect(await messageOf(new DeviceLostError("gone"))).toContain("No epoch was finished, so there is no checkpoint.");
    await writeFile(join(out, "last.safetensors"), "");
    expect(await messageOf(new DeviceLostError("gone"))).toBe(
      `cpu was lost in the middle of the run: gone. The last checkpoint is whole. To go on from it: fivecrop train --resume ${out} --device cpu, or --device cpu.`,
    );
  });

  test("another error stays", async () => {
    expect(await messageOf(new FivecropError("something else"))).toBe("something else");
  });
});
