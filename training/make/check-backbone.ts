import { FivecropError } from "../../core/errors.ts";
import { random } from "../../core/random.ts";
import type { Device, SessionMaker } from "../../core/session.ts";
import { float32, sizeOf } from "../../core/tensor.ts";
import type { Backbone } from "../../models/backbones.ts";
import type { DeviceTrial } from "./choose-device.ts";

/** ‖a − b‖ / ‖b‖: devices sum in another order; a wrong kernel is off by as much as its result. */
const LARGEST = 0.01;
const IMAGES = 2;

/** Computes the features of images of noise on a device and on the processor, and compares them. @throws FivecropError with the numbers, where they differ. */
export async function checkBackbone(
  { bytes, backbone }: { readonly bytes: Uint8Array; readonly backbone: Backbone },
  devices: { readonly device: Device; readonly processor: Device; readonly createSession: SessionMaker },
): Promise<DeviceTrial> {
  const { device, processor, createSession } = devices;
  const { normal } = random(0).fork("backbone check");
  const images = float32(
    Float32Array.from({ length: IMAGES * sizeOf(backbone.input) }, () => normal()),
    [IMAGES, ...backbone.input],
  );
  const runOn = async (where: Device): Promise<{ readonly features: Float32Array; readonly seconds: number }> => {
    const session = await createSession(bytes, { name: "the backbone", device: where });
    try {
      const run = async (): Promise<Float32Array> =>
        Float32Array.from((await session.run({ [session.inputs[0].name]: images }))[session.outputs[0].name].data as Float32Array);
      await run();
      const started = performance.now();
      return { features: await run(), seconds: (performance.now() - started) / 1e3 };
    } finally {
      await session.dispose();
    }
  };
  const found = await runOn(device);
  const wanted = await runOn(processor);
  const distance = Math.hypot(...found.features.map((x, i) => x - wanted.features[i])) / Math.hypot(...wanted.features);
  if (!(distance <= LARGEST))
    throw new FivecropError(
      `${device} is not used, its features are wrong: they differ from those of ${processor} by ${(100 * distance).toPrecision(3)} % of their length, expected at most ${100 * LARGEST} %. ` +
        `To fix: update the graphics driver, or choose the device ${processor}.`,
    );
  return {
    seconds: { device: found.seconds, processor: wanted.seconds },
    proof: `its features of ${IMAGES} images differ by ${distance.toExponential(0)} of their length`,
  };
}
