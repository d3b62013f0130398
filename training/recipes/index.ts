import { cifarBest } from "./cifar-best.ts";
import { cifarConvnet } from "./cifar-convnet.ts";
import { cifarConvnetNoBn } from "./cifar-convnet-no-bn.ts";
import { cifarConvnetStep } from "./cifar-convnet-step.ts";
import { fashionAlexnet } from "./fashion-alexnet.ts";
import { fashionBest } from "./fashion-best.ts";
import { fashionCnn } from "./fashion-cnn.ts";
import { fashionLenetBn } from "./fashion-lenet-bn.ts";
import { fashionResnet18 } from "./fashion-resnet18.ts";
import { fashionVgg11Small } from "./fashion-vgg11-small.ts";
import { flowersFinetuneAllDensenet169 } from "./flowers-finetune-all-densenet169.ts";
import { flowersFinetuneAllMobilenetv2 } from "./flowers-finetune-all-mobilenetv2.ts";
import { flowersFinetuneAllResnet18 } from "./flowers-finetune-all-resnet18.ts";
import { flowersFinetuneTopDensenet169 } from "./flowers-finetune-top-densenet169.ts";
import { flowersFinetuneTopMobilenetv2 } from "./flowers-finetune-top-mobilenetv2.ts";
import { flowersFinetuneTopResnet18 } from "./flowers-finetune-top-resnet18.ts";
import { flowersScratchConvnet1 } from "./flowers-scratch-convnet1.ts";
import { flowersScratchConvnet2 } from "./flowers-scratch-convnet2.ts";
import { flowersScratchConvnet3 } from "./flowers-scratch-convnet3.ts";
import { flowersScratchDensenet169 } from "./flowers-scratch-densenet169.ts";
import { flowersScratchResnet18 } from "./flowers-scratch-resnet18.ts";
import type { Recipe } from "./recipe.ts";
import { scenesMinivgg } from "./scenes-minivgg.ts";
import { scenesMinivggBn } from "./scenes-minivgg-bn.ts";
import { scenesResnet } from "./scenes-resnet.ts";

/** Experiments by name: `train --recipe NAME`. */
export const RECIPES = {
  "scenes-minivgg": scenesMinivgg,
  "scenes-minivgg-bn": scenesMinivggBn,
  "scenes-resnet": scenesResnet,
  "fashion-cnn": fashionCnn,
  "fashion-alexnet": fashionAlexnet,
  "fashion-vgg11-small": fashionVgg11Small,
  "fashion-resnet18": fashionResnet18,
  "fashion-lenet-bn": fashionLenetBn,
  "cifar-convnet": cifarConvnet,
  "cifar-convnet-step": cifarConvnetStep,
  "cifar-convnet-no-bn": cifarConvnetNoBn,
  "flowers-scratch-densenet169": flowersScratchDensenet169,
  "flowers-scratch-resnet18": flowersScratchResnet18,
  "flowers-scratch-convnet1": flowersScratchConvnet1,
  "flowers-scratch-convnet2": flowersScratchConvnet2,
  "flowers-scratch-convnet3": flowersScratchConvnet3,
  "flowers-finetune-top-densenet169": flowersFinetuneTopDensenet169,
  "flowers-finetune-top-resnet18": flowersFinetuneTopResnet18,
  "flowers-finetune-top-mobilenetv2": flowersFinetuneTopMobilenetv2,
  "flowers-finetune-all-densenet169": flowersFinetuneAllDensenet169,
  "flowers-finetune-all-resnet18": flowersFinetuneAllResnet18,
  "flowers-finetune-all-mobilenetv2": flowersFinetuneAllMobilenetv2,
  "cifar-best": cifarBest,
  "fashion-best": fashionBest,
} as const satisfies Readonly<Record<string, Recipe>>;
