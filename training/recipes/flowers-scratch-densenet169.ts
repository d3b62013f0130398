import { flowersScratch } from "./flowers-scratch.ts";

export const flowersScratchDensenet169 = flowersScratch("densenet169", "DenseNet-169");
