import { expect, test } from "vitest";
import { createSession } from "../../core/session.browser.ts";
import { sgd } from "../../training/optimizers.ts";
import { goldenBatch, goldenEngine, onSessions, readGolden } from "./golden.ts";

test.each(["fashion-cnn", "lenet-bn"])("%s trains as PyTorch does in WebAssembly, the page's runtime", async (name) => {
  const golden = readGolden(name);
  const expected = golden.training.sgd_momentum_decay.losses;
  const engine = await goldenEngine(golden, sgd({ momentum: 0.9, weightDecay: 1e-4 }), onSessions(createSession));
  for (const [i, loss] of expected.entries()) {
    const [step] = await engine.train([goldenBatch(golden)], [0.01]);
    expect(Math.abs(step.loss - loss) / expected[0], `loss of step ${i + 1}`).toBeLessThan(1e-4);
  }
  await engine.dispose();
});
