import { flowersScratch } from "./flowers-scratch.ts";

export const flowersScratchConvnet2 = flowersScratch("convnet2", "five convolutions with batch norm");
