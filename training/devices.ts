/** Where a run is to compute; `auto` takes the first card that is right and faster than the processor. */
export const DEVICE_CHOICES = ["cpu", "webgpu", "cuda", "auto"] as const;
export type DeviceChoice = (typeof DEVICE_CHOICES)[number];
