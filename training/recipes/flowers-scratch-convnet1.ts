import { flowersScratch } from "./flowers-scratch.ts";

export const flowersScratchConvnet1 = flowersScratch("convnet1", "three convolutions with batch norm");
