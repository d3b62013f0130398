import { expect, test } from "vitest";
import { FivecropError } from "../../../core/errors.ts";
import { createSession } from "../../../core/session.node.ts";
import type { Device } from "../../../core/session.ts";
import { float32 } from "../../../core/tensor.ts";
import { serialize } from "../../../export/serialize.ts";
import { graphBuilder } from "../../../models/ops/index.ts";
import { chooseDevice, stoppable } from "../../../training/make/choose-device.ts";

const trial = (device: number, processor: number) => async () => ({ seconds: { device, processor }, proof: "its loss differs by 0.1 %" });
const refused = async (): Promise<never> => {
  throw new FivecropError("webgpu is wrong by 0.3. To fix: update the driver.");
};

test("the faster of the two that are right, and why", async () => {
  const options = { choice: "auto", processor: "wasm" } as const;
  expect(await chooseDevice({ ...options, tryOn: trial(0.01, 0.5) })).toEqual({
    device: "webgpu",
    why: "webgpu takes 10.0 ms, wasm 500 ms; its loss differs by 0.1 %.",
  });
  expect((await chooseDevice({ ...options, tryOn: trial(0.5, 0.01) })).device).toBe("wasm");
  expect(await chooseDevice({ ...options, tryOn: refused })).toEqual({
    device: "wasm",
    why: "webgpu is not used: webgpu is wrong by 0.3.",
    refused: "webgpu is not used: webgpu is wrong by 0.3.",
  });
});

test("what was refused once is not tried again, unless it is asked for", async () => {
  const { refused: why } = await chooseDevice({ choice: "auto", processor: "wasm", tryOn: refused });
  let tried = 0;
  const tryOn = async () => {
    tried++;
    return trial(0.01, 0.5)();
  };
  expect(await chooseDevice({ choice: "auto", processor: "wasm", tryOn, refused: why })).toEqual({ device: "wasm", why, refused: why });
  expect(tried).toBe(0);
  expect((await chooseDevice({ choice: "webgpu", processor: "wasm", tryOn, refused: why })).device).toBe("webgpu");
});

test("a trial that nobody waits for computes nothing more", async () => {
  const g = graphBuilder();
  const model = serialize(g.build("relu", [g.add("Relu", [g.input("x", "float32", [1])])]));
  const x = { x: float32(Float32Array.of(-1), [1]) };
  const end = new Promise<{ runs: number; error: unknown }>((ended) => {
    const tryOn = async (_: Device, signal: AbortSignal): Promise<never> => {
      const make = stoppable(createSession, signal);
      const session = await make(model);
      let runs = 0;
      try {
        for (;;) {
          await session.run(x);
          runs++;
          await new Promise((later) => setTimeout(later, 5));
        }
      } catch (error) {
        await session.dispose();
        await expect(make(model)).rejects.toThrow("it was stopped");
        ended({ runs, error });
        throw error;
      }
    };
    void chooseDevice({ choice: "auto", processor: "wasm", tryOn, trialSeconds: 1 });
  });
  const { runs, error } = await end;
  expect(runs).toBeGreaterThan(0);
  expect(error).toMatchObject({ message: "it was stopped" });
});

test("a device that does not start in time is left", async () => {
  const never = () => new Promise<never>(() => undefined);
  const { device, why } = await chooseDevice({ choice: "auto", processor: "wasm", tryOn: never, trialSeconds: 0.05 });
  expect([device, why]).toEqual(["wasm", "webgpu is not used: it took more than 0.05 seconds to start."]);
});

test("one that was asked for is taken though it is slower, and refused where it is wrong; what is no fault of a device is not hidden", async () => {
  const options = { choice: "webgpu", processor: "wasm" } as const;
  expect((await chooseDevice({ ...options, tryOn: trial(0.5, 0.01) })).device).toBe("webgpu");
  await expect(chooseDevice({ ...options, tryOn: refused })).rejects.toThrow("webgpu is wrong by 0.3");
  const broken = async (): Promise<never> => {
    throw new TypeError("a fault of ours");
  };
  await expect(chooseDevice({ choice: "auto", processor: "wasm", tryOn: broken })).rejects.toThrow("a fault of ours");
});
