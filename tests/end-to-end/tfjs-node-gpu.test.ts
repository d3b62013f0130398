import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { createTfjsEngine } from "../../training/engines/tfjs.ts";
import { loadTfjs } from "../../training/engines/tfjs-package.node.ts";
import { fivecrop, temporaryFolder } from "../cli/run.ts";
import { CASES } from "../ops/cases.ts";
import { checkForward, checkGradients, FORWARD_OPS, hasGradients, refusalOf } from "../ops/tfjs-checks.ts";
import { checkTie, TIES } from "../ops/tfjs-ties.ts";
import { peersTfjs } from "../training/engines/peers-tfjs.ts";
import { describeFrozen } from "../training/engines/tfjs-frozen.ts";
import { describeTfjsEngine } from "../training/engines/tfjs-suite.ts";
import { type EngineMaker, GOLDEN_NETWORKS, readGolden } from "../training/golden.ts";
import { checkStep, checkTraining, SLOW, SLOWEST } from "../training/golden-checks.ts";

const packageName = "@tensorflow/tfjs-node-gpu";
const folder = peersTfjs(packageName, "the tfjs engine on libtensorflow");

/** Sums in another order: PyTorch's own float32 is as far from its float64. */
const SLACK = 2.5;

describe.skipIf(!folder)("on libtensorflow", () => {
  if (!folder) return;
  process.env.FIVECROP_TFJS = folder;
  const loaded = loadTfjs({ packageName });
  const make: EngineMaker = (options) => createTfjsEngine({ ...options, tf: loaded.tf, packageName });
  describeTfjsEngine(loaded);
  describeFrozen(loaded);
  test.each(TIES)("$op at ties and kinks", (tie) => checkTie(loaded.tf, tie));

  test.each(FORWARD_OPS)("%s, and its gradient", (op) => {
    for (const c of CASES[op].filter((c) => !refusalOf(op, c))) {
      checkForward(loaded.tf, op, c);
      if (hasGradients(op, c)) checkGradients(loaded.tf, op, c);
    }
  });

  test("train --engine tfjs: run.json says so, and the run goes on on the other engine", async () => {
    const out = join(await temporaryFolder(), "run");
    const env = { FIVECROP_TFJS: folder };
    const { code, stdout } = await fivecrop(
      ["train", "--model", "lenet-bn", "--data", "fashion-mnist-sample", "--epochs", "1", "--engine", "tfjs", "--no-report", "--out", out],
      { env },
    );
    expect(stdout).toContain(`Engine tfjs: ${packageName} ${loaded.version}, on the processor.`);
    expect(code).toBe(0);
    const about = async () => JSON.parse(await readFile(join(out, "run.json"), "utf8"));
    expect(await about()).toMatchObject({ config: { engine: "tfjs" }, environment: { [packageName]: loaded.version } });
    expect((await fivecrop(["train", "--resume", out, "--engine", "onnxruntime", "--no-report"], { env })).code).toBe(0);
    expect(await about()).toMatchObject({ config: { engine: "onnxruntime" } });
  });

  describe.each(GOLDEN_NETWORKS)("golden %s", (name) => {
    const golden = readGolden(name);
    test("gives PyTorch's logits, loss and gradients", () => checkStep(golden, make, SLACK));
    if (!SLOW.includes(name) && !SLOWEST.includes(name))
      test.each(Object.keys(golden.training))("trains with %s as PyTorch does", (recipe) => checkTraining(golden, recipe, make));
  });
});
