import { describe, expect, test } from "vitest";
import { createTfjsEngine } from "../../../training/engines/tfjs.ts";
import { loadTfjs } from "../../../training/engines/tfjs-package.node.ts";
import { type EngineMaker, readGolden } from "../golden.ts";
import { checkStep, checkTraining } from "../golden-checks.ts";
import { describeFrozen } from "./tfjs-frozen.ts";
import { describeTfjsEngine } from "./tfjs-suite.ts";

const loaded = loadTfjs({ packageName: "@tensorflow/tfjs" });

describeTfjsEngine(loaded);
describeFrozen(loaded);

/** Plain TensorFlow.js computes in loops of JavaScript: small networks alone, and fashion-cnn for one step; libtensorflow computes them all, in tests/end-to-end. */
describe.each(["lenet-bn", "fashion-cnn"])("golden %s", (name) => {
  const golden = readGolden(name);
  const make: EngineMaker = (options) => createTfjsEngine({ ...options, tf: loaded.tf });
  test("gives PyTorch's logits, loss and gradients", () => checkStep(golden, make), 300_000);
  if (name === "lenet-bn")
    test.each(Object.keys(golden.training))("trains with %s as PyTorch does", (recipe) => checkTraining(golden, recipe, make), 300_000);
});

test("plain TensorFlow.js has no graphics card here, and is loaded once", () => {
  expect(loaded.gpu).toBe(false);
  expect(loadTfjs({ packageName: "@tensorflow/tfjs" })).toBe(loaded);
});
