/** Where a run is to compute; `auto` takes the fastest that works. */
export const DEVICE_CHOICES = ["cpu", "webgpu", "cuda", "auto"] as const;
export type DeviceChoice = (typeof DEVICE_CHOICES)[number];
