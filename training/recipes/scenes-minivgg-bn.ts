import { scenes } from "./scenes.ts";

export const scenesMinivggBn = scenes("minivgg-bn", "a small VGG with batch norm on photos of scenes", [0.3621, 0.6659]);
