import { scenes } from "./scenes.ts";

export const scenesMinivgg = scenes("minivgg", "a small VGG on photos of scenes", [0.3327, 0.6229]);
