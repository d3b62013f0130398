import { flowersScratch } from "./flowers-scratch.ts";

export const flowersScratchConvnet3 = flowersScratch("convnet3", "seven convolutions with batch norm");
