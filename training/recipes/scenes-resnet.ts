import { scenes } from "./scenes.ts";

export const scenesResnet = scenes("mini-resnet", "a residual network of four blocks on photos of scenes", [0.298, 0.5709]);
