import { describe, expect, test } from "vitest";
import { createSession } from "../../core/session.node.ts";
import type { Device, Session, SessionMaker } from "../../core/session.ts";
import { freeze } from "../../models/freeze.ts";
import { flatten, linear, relu, sequential } from "../../models/layers/index.ts";
import { network } from "../../models/network.ts";
import { checkTrainingDevice } from "../../training/device-check.ts";
import { createOnnxRuntimeEngine } from "../../training/engines/onnxruntime.ts";
import { adam, sgd } from "../../training/optimizers.ts";
import { ARCHITECTURE_NAMES, type ArchitectureName, smallNetwork } from "../models/small.ts";
import { batchOf } from "../training/batch-of.ts";
import { goldenBatch, goldenEngine, onSessions, readGolden } from "../training/golden.ts";
import { everything, hasAdapter } from "./adapter.ts";

const PATIENCE = 600_000; // a software adapter compiles each of a step's shaders for a processor

const tiny = network("tiny", sequential([flatten, linear(500), relu, linear(3)]), { input: [1, 8, 8] });

/** On a processor all others take many minutes each. */
const SMALL: readonly ArchitectureName[] = ["lenet-bn", "fashion-cnn", "mini-resnet"];
if (!everything)
  console.log(`skipped: training on WebGPU of all networks but ${SMALL} (too slow on a software adapter; FIVECROP_WEBGPU=all runs them)`);

/** Behind 82 norms over four images a relu's input lies within rounding of 0 somewhere: what the product's own check allows. */
const WIDER: Partial<Record<ArchitectureName, number>> = { densenet169: 5e-2 };

describe.skipIf(!(await hasAdapter("training on WebGPU")))("training on WebGPU", () => {
  test.each(everything ? ["fashion-cnn", "lenet-bn"] : ["lenet-bn"])(
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
    "%s: no node of its step falls back, and its loss and what it changes are the cpu's",
    async (name) => {
      const small = smallNetwork(name);
      const engineOn = (device: Device) =>
        createOnnxRuntimeEngine({ network: small, optimizer: sgd({ momentum: 0.9 }), createSession, device });
      const { loss, variable, name: worst } = await checkTrainingDevice({ device: "webgpu", processor: "cpu", images: 4, engineOn });
      expect(loss).toBeLessThan(1e-4);
      expect(variable, `the change of ${worst}`).toBeLessThan(WIDER[name] ?? 1e-2);
    },
    PATIENCE,
  );

  test("what no step changes is copied there once, also for predict; the rest is the cpu's", async () => {
    const frozen = freeze(tiny, { freeze: "backbone", headLayers: 1 });
    const fed: [model: string, bytes: number][] = [];
    const counting: SessionMaker = async (model, options) => {
      const session = await createSession(model, options);
      const runOnDevice: Session["runOnDevice"] = (feeds, fetches) => {
        const here = Object.values(feeds).flatMap((value) => ("data" in value ? [value.data.byteLength] : []));
        fed.push([options?.name ?? "", here.reduce((a, b) => a + b, 0)]);
        return session.runOnDevice!(feeds, fetches);
      };
      return { ...session, ...(session.runOnDevice && { runOnDevice }) };
    };
    const batch = batchOf(4, [1, 8, 8], 3);
    const states = await Promise.all(
      (["cpu", "webgpu"] as const).map(async (device) => {
        const engine = createOnnxRuntimeEngine({ network: frozen, optimizer: sgd({ momentum: 0.9 }), createSession: counting, device });
        await engine.initialize({ seed: 5 });
        const logits = [...(await engine.predict(batch.images)).data];
        for (let i = 0; i < 3; i++) await engine.train([batch], [0.1]);
        logits.push(...(await engine.predict(batch.images)).data);
        const { parameters } = await engine.state();
        await engine.initialize({ seed: 6 });
        await engine.train([batch], [0.1]);
        await engine.dispose();
        return { logits, parameters };
      }),
    );
    const [cpu, gpu] = states;
    gpu.logits.forEach((logit, i) => {
      expect(logit).toBeCloseTo(cpu.logits[i], 4);
    });
    for (const [name, { data }] of Object.entries(cpu.parameters))
      gpu.parameters[name].data.forEach((value, i) => {
        expect(value, name).toBeCloseTo(data[i], 4);
      });
    const weights = 4 * (64 * 500 + 500);
    const [images, targets, rate] = [4 * 4 * 64, 4 * 4 * 3, 4];
    const of = (name: string) => fed.flatMap(([model, bytes]) => (model === name ? [bytes] : []));
    expect(of("the network")).toEqual([images, images]);
    const head = 4 * (500 * 3 + 3); // with its velocity, where a run begins
    const [first, ...rest] = of("the training step");
    expect(first).toBeLessThan(images + targets + rate + 2 * head + 1);
    expect(rest.slice(0, 2)).toEqual([images + targets + rate, images + targets + rate]);
    expect(of("the variables").filter((bytes) => bytes >= weights)).toHaveLength(2); // once for each state it was given
  });

  test("batches of three sizes, whose sessions come and go, read and write the same variables, also after a resume", async () => {
    const states = await Promise.all(
      (["cpu", "webgpu"] as const).map(async (device) => {
        const average = { decay: 0.9, warmup: false };
        const engine = createOnnxRuntimeEngine({ network: tiny, optimizer: adam(), average, createSession, device });
        await engine.initialize({ seed: 1 });
        const losses: number[] = [];
        const train = async (count: number) => losses.push((await engine.train([batchOf(count, [1, 8, 8], 3)], [1e-3]))[0].loss);
        for (const count of [2, 3, 2, 4, 2]) await train(count);
        const state = await engine.state();
        await engine.initialize(state);
        await train(2);
        const { data } = await engine.predict(batchOf(2, [1, 8, 8], 3).images);
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
  });
});
