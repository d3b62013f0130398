import { expect, test } from "vitest";
import { FivecropError } from "../../../core/errors.ts";
import { chooseDevice } from "../../../training/make/choose-device.ts";

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
  });
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
