import { describe, expect, test } from "vitest";
import { createSession } from "../../core/session.node.ts";
import { classCount } from "../../models/network.ts";
import { createOnnxRuntimeEngine } from "../../training/engines/onnxruntime.ts";
import { adam, sgd } from "../../training/optimizers.ts";
import { ARCHITECTURE_NAMES, type ArchitectureName, imageOf, smallNetwork } from "../models/small.ts";
import { batchOf } from "../training/batch-of.ts";
import { goldenBatch, goldenEngine, onSessions, readGolden } from "../training/golden.ts";
import { everything, hasAdapter } from "./adapter.ts";

const PATIENCE = 600_000; // a software adapter compiles each of a step's shaders for a processor

/** On a processor all others take many minutes each. */
const SMALL: readonly ArchitectureName[] = ["lenet-bn"];
if (!everything)
  console.log(
    `skipped: training on WebGPU of what is more than a step of ${SMALL} (too slow on a software adapter; FIVECROP_WEBGPU=all runs them)`,
  );

describe.skipIf(!(await hasAdapter("training on WebGPU")))("training on WebGPU", () => {
  test.skipIf(!everything).each(["fashion-cnn", "lenet-bn"])(
    "%s: five steps as PyTorch's",
    async (name) => {
      const golden = readGolden(name);
      const expected = golden.training.sgd_momentum_decay.losses;
      const engine = await goldenEngine(golden, sgd({ momentum: 0.9, weightDecay: 1e-4 }), onSessions(createSession, "webgpu"));
      for (const [i, loss] of expected.entries()) {
        const [step] = await engine.train([goldenBatch(golden)], [0.01]);
        expect(Math.abs(step.loss - loss) / expected[0], `loss of step ${i + 1}`).toBeLessThan(1e-4);
      }
      await engine.dispose();
    },
    PATIENCE,
  );

  test.each(everything ? ARCHITECTURE_NAMES : SMALL)(
    "%s: no node of its step falls back, and its loss and weights are the cpu's",
    async (name) => {
      const network = smallNetwork(name);
      const batch = batchOf(4, imageOf(network), classCount(network));
      const [cpu, gpu] = await Promise.all(
        (["cpu", "webgpu"] as const).map(async (device) => {
          const engine = createOnnxRuntimeEngine({ network, optimizer: sgd({ momentum: 0.9 }), createSession, device });
          await engine.initialize({ seed: 3 });
          const [{ loss }] = await engine.train([batch], [0.02]);
          const { parameters } = await engine.state();
          await engine.dispose();
          return { loss, parameters };
        }),
      );
      expect(Math.abs(gpu.loss - cpu.loss) / cpu.loss).toBeLessThan(1e-4);
      for (const [parameter, { data }] of Object.entries(cpu.parameters)) {
        const size = Math.hypot(...data.subarray(0, 1000), 1e-3);
        const distance = Math.hypot(...data.subarray(0, 1000).map((value, i) => value - gpu.parameters[parameter].data[i]));
        expect(distance / size, parameter).toBeLessThan(1e-2);
      }
    },
    PATIENCE,
  );

  test.skipIf(!everything)(
    "batches of three sizes, whose sessions come and go, read and write the same variables, also after a resume",
    async () => {
      const network = smallNetwork("fashion-cnn");
      const states = await Promise.all(
        (["cpu", "webgpu"] as const).map(async (device) => {
          const engine = createOnnxRuntimeEngine({
            network,
            optimizer: adam(),
            average: { decay: 0.9, warmup: false },
            createSession,
            device,
          });
          await engine.initialize({ seed: 1 });
          const losses: number[] = [];
          for (const count of [2, 3, 4, 2]) losses.push((await engine.train([batchOf(count, [1, 28, 28], 10)], [1e-3]))[0].loss);
          const state = await engine.state();
          await engine.initialize(state);
          losses.push((await engine.train([batchOf(2, [1, 28, 28], 10)], [1e-3]))[0].loss);
          const { data } = await engine.predict(batchOf(2, [1, 28, 28], 10).images);
          await engine.dispose();
          return { losses, logits: [...data] };
        }),
      );
      const [cpu, gpu] = states;
      gpu.losses.forEach((loss, i) => {
        expect(Math.abs(loss - cpu.losses[i]) / cpu.losses[0], `loss of step ${i + 1}`).toBeLessThan(1e-3);
      });
      gpu.logits.forEach((logit, i) => {
        expect(Math.abs(logit - cpu.logits[i])).toBeLessThan(1e-2);
      });
    },
    PATIENCE,
  );
});
