import { flowersScratch } from "./flowers-scratch.ts";

export const flowersScratchResnet18 = flowersScratch("resnet18", "ResNet-18");
