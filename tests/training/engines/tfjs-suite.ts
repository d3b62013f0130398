import { describe, expect, test } from "vitest";
import { createSession } from "../../../core/session.node.ts";
import { float32 } from "../../../core/tensor.ts";
import { batchNorm, conv2d, dropout, flatten, linear, maxPool2d, relu, sequential } from "../../../models/layers/index.ts";
import { type Network, network } from "../../../models/network.ts";
import type { StepInput, TrainingEngine, TrainingState, Weights } from "../../../training/engine.ts";
import { createOnnxRuntimeEngine } from "../../../training/engines/onnxruntime.ts";
import { createTfjsEngine } from "../../../training/engines/tfjs.ts";
import type { LoadedTfjs } from "../../../training/engines/tfjs-package.node.ts";
import { adam, adamw, type Optimizer, sgd } from "../../../training/optimizers.ts";
import type { WeightAverage } from "../../../training/weight-average.ts";
import { batchOf } from "../batch-of.ts";

/** Padding that is not tensorflow's own, overlapping pools, batch norm behind a pool, dropout of images and of vectors. */
const net = network(
  "small",
  sequential([
    conv2d(6, 3, { stride: 2, padding: 1 }),
    batchNorm,
    relu,
    maxPool2d(3, { stride: 2, padding: 1 }),
    conv2d(8, 3, { padding: 1 }),
    dropout(0.2),
    relu,
    flatten,
    linear(12),
    relu,
    dropout(0.4),
    linear(3),
  ]),
  { input: [2, 12, 12] },
);
const average: WeightAverage = { decay: 0.9 };
const SMOOTHING = 0.1;

/** Another batch at each step, its labels smoothed. */
function batchAt(step: number, count = 6): StepInput {
  const { images, targets } = batchOf(count, [2, 12, 12], 3, 100 + step);
  return {
    images,
    targets: float32(
      targets.data.map((t) => (1 - SMOOTHING) * t + SMOOTHING / 3),
      targets.shape,
    ),
  };
}

const onnxruntime = (optimizer: Optimizer, of: Network = net): TrainingEngine =>
  createOnnxRuntimeEngine({ network: of, optimizer, average, createSession, threads: 1 });

async function lossesOf(engine: TrainingEngine, from: number, count: number): Promise<number[]> {
  const losses: number[] = [];
  for (let step = from; step < from + count; step++) losses.push((await engine.train([batchAt(step)], [0.01]))[0].loss);
  return losses;
}

const largestDifference = (a: Weights, b: Weights): number =>
  Math.max(...Object.entries(a).map(([name, { data }]) => Math.max(...data.map((value, i) => Math.abs(value - b[name].data[i])))));

/** A run's five steps from a state on one engine. */
async function goOn(engine: TrainingEngine, state: TrainingState): Promise<{ readonly losses: number[]; readonly state: TrainingState }> {
  await engine.initialize(state);
  const losses = await lossesOf(engine, state.step, 5);
  const after = await engine.state();
  await engine.dispose();
  return { losses, state: after };
}

/** What holds of the tfjs engine with any of its packages. */
export function describeTfjsEngine({ tf, packageName }: LoadedTfjs): void {
  const tfjs = (optimizer: Optimizer, of: Network = net): TrainingEngine =>
    createTfjsEngine({ network: of, optimizer, average, tf, packageName });

  describe(`the tfjs engine on ${packageName}`, () => {
    test.each([
      ["sgd", sgd({ momentum: 0.9, nesterov: true, weightDecay: 1e-4 })],
      ["adam", adam()],
      ["adamw", adamw()],
    ] as const)("with %s, a run begun on one engine goes on on the other", async (_, optimizer) => {
      for (const [first, second] of [
        [onnxruntime, tfjs],
        [tfjs, onnxruntime],
      ]) {
        const begun = first(optimizer);
        await begun.initialize({ seed: 7 });
        await lossesOf(begun, 0, 4);
        const state = await begun.state();
        await begun.dispose();
        const [same, other] = [await goOn(first(optimizer), state), await goOn(second(optimizer), state)];
        same.losses.forEach((loss, i) => {
          expect(Math.abs(other.losses[i] - loss) / loss, `loss of step ${i + 1}`).toBeLessThan(1e-3);
        });
        expect(other.state.step).toBe(9);
        for (const role of ["parameters", "state", "average"] as const)
          expect(largestDifference(same.state[role]!, other.state[role]!), role).toBeLessThan(1e-4);
      }
    });

    test("a state is given back as it was taken", async () => {
      const engine = tfjs(adam());
      await engine.initialize({ seed: 3 });
      await lossesOf(engine, 0, 1);
      const state = await engine.state();
      await engine.initialize(state);
      expect(await engine.state()).toEqual(state);
      await engine.dispose();
    });

    test("500 steps leave as many tensors as the first two, and dispose leaves none", async () => {
      const tiny = network("tiny", sequential([conv2d(2, 3), batchNorm, relu, flatten, dropout(0.5), linear(2)]), { input: [1, 4, 4] });
      const before = tf.memory().numTensors;
      const engine = tfjs(adam(), tiny);
      await engine.initialize({ seed: 1 });
      const batch = batchOf(4, [1, 4, 4], 2);
      const counts = new Set<number>();
      for (let step = 1; step <= 500; step++) {
        await engine.train([batch], [0.01]);
        await engine.predict(batch.images);
        if (step >= 2) counts.add(tf.memory().numTensors);
      }
      expect(counts.size).toBe(1);
      await engine.dispose();
      expect(tf.memory().numTensors).toBe(before);
    });

    test("a smaller last batch, and any number of images to predict, with the average's weights", async () => {
      const [ours, theirs] = [tfjs(sgd()), onnxruntime(sgd())];
      for (const engine of [ours, theirs]) {
        await engine.initialize({ seed: 2 });
        for (const [step, count] of [6, 3, 2, 6].entries()) await engine.train([batchAt(step, count)], [0.05]);
      }
      const { images } = batchAt(9, 5);
      for (const count of [5, 2, 1]) {
        const part = float32(images.data.subarray(0, count * 288), [count, 2, 12, 12]);
        const [actual, expected] = [await ours.predict(part), await theirs.predict(part)];
        expect(actual.shape).toEqual([count, 3]);
        actual.data.forEach((value, i) => {
          expect(value).toBeCloseTo(expected.data[i], 4);
        });
      }
      await Promise.all([ours.dispose(), theirs.dispose()]);
    });

    test("where pixels tie, the gradient goes to the same one", async () => {
      const pooled = network(
        "pooled",
        sequential([conv2d(4, 3, { padding: 1 }), maxPool2d(3, { stride: 2, padding: 1 }), flatten, linear(3)]),
        {
          input: [1, 9, 9],
        },
      );
      const [first, second] = [tfjs(sgd(), pooled), onnxruntime(sgd(), pooled)];
      const { images, targets } = batchOf(4, [1, 9, 9], 3);
      const bordered = float32(
        images.data.map((value, i) => (i % 81 < 36 || i % 9 < 3 ? -0.5 : Math.sign(value))),
        images.shape,
      );
      const states: TrainingState[] = [];
      for (const engine of [first, second]) {
        await engine.initialize({ seed: 1 });
        await engine.train([{ images: bordered, targets }], [1]);
        states.push(await engine.state());
        await engine.dispose();
      }
      expect(largestDifference(states[0].parameters, states[1].parameters)).toBeLessThan(1e-5);
    });

    test("what cannot be trained is refused by name", async () => {
      const flat = network("flat", sequential([flatten, linear(4), batchNorm, linear(2)]), { input: [1, 2, 2] });
      const engine = tfjs(sgd(), flat);
      await engine.initialize({ seed: 1 });
      await expect(engine.train([batchOf(1, [1, 2, 2], 2)], [0.1])).rejects.toThrow(
        "node '2' (BatchNormalization) would normalize over one value",
      );
      expect(() => engine.prepare([[4, 1, 2, 2]])).not.toThrow();
      expect(() =>
        engine.prepare([
          [4, 1, 2, 2],
          [1, 1, 2, 2],
        ]),
      ).toThrow("node '2' (BatchNormalization) would normalize over one value");
      const state = await engine.state();
      await engine.dispose();
      await expect(tfjs(adam(), flat).initialize(state)).rejects.toThrow("of its slots, '1.weight/first-moment' is missing");
    });
  });
}
