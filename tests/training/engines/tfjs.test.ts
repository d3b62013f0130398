import { expect, test } from "vitest";
import { createTfjsEngine } from "../../../training/engines/tfjs.ts";
import { loadTfjs } from "../../../training/engines/tfjs-package.node.ts";
import { readGolden } from "../golden.ts";
import { checkStep } from "../golden-checks.ts";
import { describeFrozen } from "./tfjs-frozen.ts";
import { describeTfjsEngine } from "./tfjs-suite.ts";

const loaded = loadTfjs({ packageName: "@tensorflow/tfjs" });

describeTfjsEngine(loaded);
describeFrozen(loaded);

test(
  "lenet-bn has PyTorch's logits, loss and gradients",
  () => checkStep(readGolden("lenet-bn"), (options) => createTfjsEngine({ ...options, tf: loaded.tf })),
  300_000,
);

test("plain TensorFlow.js has no graphics card here, and is loaded once", () => {
  expect(loaded.gpu).toBe(false);
  expect(loadTfjs({ packageName: "@tensorflow/tfjs" })).toBe(loaded);
});
