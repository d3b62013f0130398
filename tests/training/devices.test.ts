import * as ort from "onnxruntime-node";
import { describe, expect, test } from "vitest";
import { deviceFault } from "../../core/device-fault.ts";
import { DeviceLostError, DeviceMemoryError, FivecropError } from "../../core/errors.ts";
import { createSession, isCudaMissing } from "../../core/session.node.ts";
import { type Runtime, sessionMaker } from "../../core/session.runtime.ts";
import type { SessionMaker } from "../../core/session.ts";
import { freeze } from "../../models/freeze.ts";
import { batchNorm, conv2d, flatten, linear, relu, sequential } from "../../models/layers/index.ts";
import { network } from "../../models/network.ts";
import { checkTrainingDevice } from "../../training/device-check.ts";
import { createOnnxRuntimeEngine } from "../../training/engines/onnxruntime.ts";
import { createTfjsEngine } from "../../training/engines/tfjs.ts";
import type { Tf } from "../../training/engines/tfjs-kernel.ts";
import { loadTfjs } from "../../training/engines/tfjs-package.node.ts";
import { fittingBatch } from "../../training/fitting-batch.ts";
import { adam, sgd } from "../../training/optimizers.ts";
import { batchOf } from "./batch-of.ts";
import { runtimeThat, withMemoryFor } from "./runtime.ts";

const normed = network("normed", sequential([conv2d(2, 3), batchNorm, relu, flatten, linear(3)]), { input: [1, 4, 4] });
const tiny = network("tiny", sequential([flatten, linear(5), relu, linear(3)]), { input: [1, 4, 4] });

const check = (other: SessionMaker, optimizer = sgd(), seconds?: number) =>
  checkTrainingDevice({
    ...(seconds !== undefined && { seconds }),
    device: "webgpu",
    processor: "cpu",
    images: 4,
    engineOn: (device) => createOnnxRuntimeEngine({ network: tiny, optimizer, createSession: device === "cpu" ? createSession : other }),
  });

describe("the check before a device trains", () => {
  test.each([sgd(), adam()])(
    "$name: where all batch norms are frozen no statistic changes, and a right device passes",
    async (optimizer) => {
      const frozen = freeze(normed, { freeze: "backbone", headLayers: 1 });
      const engineOn = () => createOnnxRuntimeEngine({ network: frozen, optimizer, average: { decay: 0.9, warmup: false }, createSession });
      expect(await checkTrainingDevice({ device: "webgpu", processor: "cpu", images: 4, engineOn })).toMatchObject({
        loss: 0,
        variable: 0,
      });
    },
  );

  test("one that takes longer than it has is left after its step", async () => {
    const slow: SessionMaker = async (model, options) => {
      const session = await createSession(model, options);
      return {
        ...session,
        async run(feeds, fetches) {
          const until = performance.now() + 60;
          while (performance.now() < until); // a runtime blocks its thread
          return session.run(feeds, fetches);
        },
      };
    };
    await expect(check(slow, sgd(), 0.03)).rejects.toThrow("it took more than 0.03 seconds to start");
  });

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
  [DeviceMemoryError, "OOM when allocating tensor with shape[4096,64,112,112] and type float on GPU:0"],
  [DeviceMemoryError, "failed to allocate 2.00G (2147483648 bytes) from device: CUDA_ERROR_OUT_OF_MEMORY: out of memory"],
  [DeviceLostError, "failed to synchronize the stop event: CUDA_ERROR_ILLEGAL_ADDRESS: an illegal memory access was encountered"],
  [DeviceLostError, "WebGPU device lost (1): vkQueueSubmit failed with VK_ERROR_DEVICE_LOST"],
  [DeviceLostError, "CUDA failure 700: an illegal memory access was encountered ; GPU=0"],
  [FivecropError, "Conv3D does not support grouped convolution (group=2)."],
])("what the runtime says is a %o", (kind, said) => {
  const fault = deviceFault("the training step", new Error(said));
  expect(fault.constructor).toBe(kind);
  expect(fault.message).toContain("the training step: ONNX Runtime could not run its graph: ");
});

test.each([
  [16, 3, 2],
  [16, 8, 8],
  [7, 2, 1],
  [4, 0, undefined],
])("a batch of %i, with memory for %i: %s fit", async (batchSize, most, fits) => {
  const make = () => createOnnxRuntimeEngine({ network: tiny, optimizer: sgd(), createSession: withMemoryFor(([N]) => N <= most) });
  expect(await fittingBatch([batchSize, 1, 4, 4], make)).toBe(fits);
});

test.each([
  [true, "OrtSessionOptionsAppendExecutionProvider_Cuda: Failed to load shared library"],
  [true, "Failed to load library libonnxruntime_providers_cuda.so with error: libcudnn.so.9: cannot open shared object file"],
  [true, "CUDA failure 100: no CUDA-capable device is detected ; GPU=-1"],
  [true, "CUDA failure 35: CUDA driver version is insufficient for CUDA runtime version"],
  [false, "CUDA failure 2: out of memory ; GPU=0 ; hostname=a ; file=cuda_allocator.cc"],
  [false, "CUDA failure 700: an illegal memory access was encountered ; GPU=0"],
  [false, "CUDNN failure 3000: CUDNN_STATUS_NOT_SUPPORTED ; GPU=0"],
])("CUDA is missing, %s: %s", (missing, said) => {
  expect(isCudaMissing(said)).toBe(missing);
});

test("memory that is short as a session is made is that too, and a device that is lost there", async () => {
  const runtime = (said: string): Runtime => ({
    ...ort,
    InferenceSession: { create: () => Promise.reject(new Error(said)) } as unknown as Runtime["InferenceSession"],
  });
  const traits = { options: () => ({}), writesInPlace: true, explain: async () => undefined };
  const make = (said: string) => sessionMaker(runtime(said), traits)(new Uint8Array(), { name: "the step" });
  await expect(make("CUDA failure 2: out of memory ; GPU=0")).rejects.toThrow(DeviceMemoryError);
  await expect(make("WebGPU device lost (1)")).rejects.toThrow(DeviceLostError);
  await expect(make("bad magic number")).rejects.toThrow("the step: ONNX Runtime cannot load it: bad magic number");
});

test.each([
  [DeviceMemoryError, "OOM when allocating tensor with shape[2,5] and type float on /job:localhost/replica:0/task:0/device:GPU:0"],
  [DeviceLostError, "CUDA_ERROR_LAUNCH_FAILED: unspecified launch failure"],
  [FivecropError, "Invalid argument: no kernel"],
])("the engine tfjs throws a %o too", async (kind, said) => {
  const { tf } = loadTfjs({ packageName: "@tensorflow/tfjs" });
  const failing = () => {
    throw new Error(`${said}\nat its place`);
  };
  const engine = createTfjsEngine({ network: tiny, optimizer: sgd(), tf: { ...tf, variableGrads: failing } as unknown as Tf });
  await engine.initialize({ seed: 0 });
  const error = await engine.train([batchOf(2, [1, 4, 4], 3)], [0.1]).catch((thrown) => thrown);
  await engine.dispose();
  expect(error.constructor).toBe(kind);
  expect(error.message).toBe(`tfjs could not compute with 2 images: ${said}`);
  if (kind === DeviceMemoryError) expect(error.images).toEqual([2, 1, 4, 4]);
});
