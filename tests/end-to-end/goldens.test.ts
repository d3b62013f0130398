import { describe, test } from "vitest";
import { readGolden } from "../training/golden.ts";
import { checkStep, checkTraining, SLOW, SLOWEST } from "../training/golden-checks.ts";

describe.each(SLOW)("golden %s", (name) => {
  const golden = readGolden(name);
  test.each(Object.keys(golden.training))("trains with %s as PyTorch does", (recipe) => checkTraining(golden, recipe));
});

describe.each(SLOWEST)("golden %s", (name) => {
  test("gives PyTorch's logits, loss and gradients", () => checkStep(readGolden(name)));
});
