import { describe, expect, it } from "vitest";
import { GOLDEN_NETWORKS, goldenNetwork, readGolden } from "./golden.ts";
import { checkStep, checkTraining, SLOW, SLOWEST } from "./golden-checks.ts";

describe.each(GOLDEN_NETWORKS)("golden %s", (name) => {
  const golden = readGolden(name);

  it("has PyTorch's parameters, by their names", () => {
    expect([...goldenNetwork(golden).parameters.keys()].map((value) => [value.name, value.shape])).toEqual(golden.parameters);
  });

  if (!SLOWEST.includes(name)) it("gives PyTorch's logits, loss and gradients", () => checkStep(golden), 300_000);

  if (!SLOW.includes(name))
    it.each(Object.keys(golden.training))("trains with %s as PyTorch does", (recipe) => checkTraining(golden, recipe));
});
