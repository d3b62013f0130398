import { describe, expect, test } from "vitest";
import { random } from "../../core/random.ts";
import { createSession } from "../../core/session.node.ts";
import { float32, zeros } from "../../core/tensor.ts";
import { batchNorm, conv2d, flatten, linear, maxPool2d, relu, sequential } from "../../models/layers/index.ts";
import { network } from "../../models/network.ts";
import type { PreprocessSpec } from "../../pipeline/preprocess.ts";
import type { StepInput, TrainingState, Weights } from "../../training/engine.ts";
import { createOnnxRuntimeEngine } from "../../training/engines/onnxruntime.ts";
import { trainedModel } from "../../training/export-trained.ts";
import { adam } from "../../training/optimizers.ts";
import { writeStep } from "../../training/step/index.ts";
import { averageFactorsAt, type WeightAverage } from "../../training/weight-average.ts";

const net = network("small", sequential([conv2d(4, 3), batchNorm, relu, maxPool2d(2), flatten, linear(3)]), { input: [1, 6, 6] });
const { normal, integer } = random(11);
const batches: readonly StepInput[] = Array.from({ length: 6 }, () => {
  const targets = zeros("float32", [5, 3]);
  for (let i = 0; i < 5; i++) targets.data[i * 3 + integer(3)] = 1;
  return { images: float32(Float32Array.from({ length: 5 * 36 }, normal), [5, 1, 6, 6]), targets };
});

/** The states before the first step and after each. */
async function states(average?: WeightAverage): Promise<{ states: TrainingState[]; logits: Float32Array; bytes: Uint8Array }> {
  const engine = createOnnxRuntimeEngine({ network: net, optimizer: adam(), average, createSession });
  await engine.initialize({ seed: 4 });
  const seen = [await engine.state()];
  for (const batch of batches) {
    await engine.train([batch], [0.05]);
    seen.push(await engine.state());
  }
  const logits = (await engine.predict(batches[0].images)).data;
  const preprocess: PreprocessSpec = { resize: null, filter: "bilinear", crop: [6, 6], channels: 1, mean: [0], std: [1] };
  const bytes = trainedModel(net, seen.at(-1)!, { labels: ["a", "b", "c"], preprocess });
  await engine.dispose();
  return { states: seen, logits, bytes };
}

const weights = ({ parameters, state }: TrainingState): Weights => ({ ...parameters, ...state });

describe("the moving average of the weights", () => {
  test("its decay is timm's ModelEmaV3's: 0 at the first step, then as asked, or rising", () => {
    const kept = (average: WeightAverage, step: number) => averageFactorsAt(average, step)[0];
    expect([1, 2, 3, 1000].map((step) => kept({ decay: 0.999 }, step))).toEqual([0, 0.999, 0.999, 0.999]);
    // ModelEmaV3(model, decay=0.999, use_warmup=True).get_decay(step)
    const timm = [0, 0.3700394751, 0.5192501432, 0.603149737, 0.784556531, 0.9535841117, 0.999];
    [1, 2, 3, 4, 10, 100, 100_000].forEach((step, i) => {
      expect(kept({ decay: 0.999, warmup: true }, step), `step ${step}`).toBeCloseTo(timm[i], 9);
    });
  });

  test.each<WeightAverage>([{ decay: 0.9 }, { decay: 0.999, warmup: true }])(
    "%o: equal to the average in plain arithmetic, running statistics as well",
    async (average) => {
      const { states: seen } = await states(average);
      const expected = new Map(Object.entries(weights(seen[0])).map(([name, { data }]) => [name, Float64Array.from(data)]));
      expect(seen[0].average).toEqual(weights(seen[0]));
      seen.slice(1).forEach((state, i) => {
        const [kept, taken] = averageFactorsAt(average, i + 1);
        expect(Object.keys(state.average!).sort()).toEqual([...expected.keys()].sort());
        for (const [name, { data, shape }] of Object.entries(weights(state))) {
          const mean = expected.get(name)!;
          mean.forEach((value, k) => {
            mean[k] = kept * value + taken * data[k];
          });
          expect(state.average![name].shape).toEqual(shape);
          state.average![name].data.forEach((value, k) => {
            expect(Math.abs(value - mean[k]), `${name}[${k}] after step ${i + 1}`).toBeLessThan(1e-6 * (1 + Math.abs(mean[k])));
          });
        }
      });
      expect(seen[1].average).toEqual(weights(seen[1]));
      expect(seen.at(-1)!.average).not.toEqual(weights(seen.at(-1)!));
    },
  );

  test("the weights themselves are as without it, and without it the step has nothing of it", async () => {
    const [without, kept] = [await states(), await states({ decay: 0.9 })];
    expect(kept.states.map(weights)).toEqual(without.states.map(weights));
    expect(without.states.some((state) => "average" in state)).toBe(false);
    const inputs = (average?: WeightAverage) => writeStep(net, 5, adam(), { average }).graph.inputs.map(({ name }) => name);
    expect(inputs().filter((name) => name.includes("average"))).toEqual([]);
    expect(inputs({ decay: 0.9 }).filter((name) => name.endsWith("/average")).length).toBe(net.parameters.size + 2);
  });

  test("predictions and the exported file are the average's", async () => {
    const kept = await states({ decay: 0.9 });
    const { average, ...rest } = kept.states.at(-1)!;
    const engine = createOnnxRuntimeEngine({ network: net, optimizer: adam(), createSession });
    const names = new Set(Object.keys(rest.parameters));
    const part = (of: boolean): Weights => Object.fromEntries(Object.entries(average!).filter(([name]) => names.has(name) === of));
    await engine.initialize({ ...rest, parameters: part(true), state: part(false) });
    expect((await engine.predict(batches[0].images)).data).toEqual(kept.logits);
    await engine.initialize(rest);
    expect((await engine.predict(batches[0].images)).data).not.toEqual(kept.logits);
    await engine.dispose();
    const session = await createSession(kept.bytes);
    const [output] = Object.values(await session.run({ images: batches[0].images }));
    await session.dispose();
    kept.logits.forEach((value, i) => {
      expect(Number(output.data[i])).toBeCloseTo(value, 4);
    });
  });

  test("a state with an average is refused where none is kept, and the reverse; a decay of 1 as well", async () => {
    const [{ states: without }, { states: kept }] = [await states(), await states({ decay: 0.9 })];
    const plain = createOnnxRuntimeEngine({ network: net, optimizer: adam(), createSession });
    await expect(plain.initialize(kept[0])).rejects.toThrow("of its average, '0.weight' is not one of them");
    const averaging = createOnnxRuntimeEngine({ network: net, optimizer: adam(), average: { decay: 0.5 }, createSession });
    await expect(averaging.initialize(without[0])).rejects.toThrow("of its average, '0.weight' is missing");
    expect(() => createOnnxRuntimeEngine({ network: net, optimizer: adam(), average: { decay: 1 }, createSession })).toThrow(
      "decay of the weights' average: expected a number from 0 to below 1, received 1",
    );
  });
});
