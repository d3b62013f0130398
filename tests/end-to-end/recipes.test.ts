import { beforeAll, test } from "vitest";
import { checkTwoSteps, SLOW_RECIPES } from "../training/recipe-steps.ts";
import { tinyData } from "../training/tiny-data.ts";

let root: string;
beforeAll(async () => {
  root = await tinyData();
});

test.each(SLOW_RECIPES)("%s takes two steps on images of its own size, and they change the weights", (name) => checkTwoSteps(name, root));
