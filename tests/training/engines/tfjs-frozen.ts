import { describe, expect, test } from "vitest";
import { createSession } from "../../../core/session.node.ts";
import { networkOf } from "../../../export/import-model.ts";
import { type Freeze, freeze } from "../../../models/freeze.ts";
import type { Network } from "../../../models/network.ts";
import type { TrainingEngine, TrainingState } from "../../../training/engine.ts";
import { createOnnxRuntimeEngine } from "../../../training/engines/onnxruntime.ts";
import { createTfjsEngine } from "../../../training/engines/tfjs.ts";
import type { LoadedTfjs } from "../../../training/engines/tfjs-package.node.ts";
import { adam, sgd } from "../../../training/optimizers.ts";
import { floats, ints, node } from "../../export/onnx-file.ts";
import { imported, numbers, smallFile, stepInput } from "../../fine-tune/files.ts";

const BATCH = 5;
const average = { decay: 0.9 };

/** The features as two parts, the second first, through operators that only files have. */
const end = [
  node("Split", ["flat", "parts"], ["left", "right"], { axis: 1 }),
  node("HardSwish", ["left"], "soft"),
  node("LeakyRelu", ["right"], "leaky"),
  node("Concat", ["leaky", "soft"], "both", { axis: 1 }),
  node("ReduceL2", ["both"], "length", { axes: [1] }),
  node("Max", ["length", "least"], "bounded"),
  node("Div", ["both", "bounded"], "direction"),
  node("Gemm", ["direction", "fc.weight", "fc.bias"], "y", { transB: 1 }),
];
const initializer = [ints("parts", [2, 4]), floats("least", [1], [1e-6])];

function small(wanted: Freeze, rateFactor?: number): Network {
  const { network, headLayers } = networkOf(imported(smallFile({ end, initializer })), { name: "small", classNames: ["a", "b", "c"] });
  return freeze(network, { freeze: wanted, headLayers, rateFactor });
}

/** Three steps. */
async function train(engine: TrainingEngine) {
  await engine.initialize({ seed: 3 });
  const before = await engine.state();
  const input = stepInput([3, 8, 8], BATCH, 3);
  const losses: number[] = [];
  for (let step = 0; step < 3; step++) losses.push((await engine.train([input], [0.1]))[0].loss);
  const after = await engine.state();
  await engine.dispose();
  return { before, after, losses };
}

/** Names of the tensors that changed, averages apart. */
function changed(before: TrainingState, after: TrainingState): string[] {
  const all = ({ parameters, state, average }: TrainingState) => [
    ...Object.entries({ ...parameters, ...state }),
    ...Object.entries(average ?? {}).map(([name, t]) => [`average of ${name}`, t] as const),
  ];
  const was = new Map(all(before));
  return all(after).flatMap(([name, t]) => (String(numbers(t)) === String(numbers(was.get(name))) ? [] : [name]));
}

const averaged = (...names: string[]): string[] => names.flatMap((name) => [name, `average of ${name}`]).sort();
const HEAD = ["head.weight", "head.bias"];
const SECOND = ["c2.weight", "b2.weight", "b2.bias", "b2.mean", "b2.var"];
const FIRST = ["c1.weight", "b1.weight", "b1.bias", "b1.mean", "b1.var"];

/** Where its layer trains, a bias without a gradient stays, but its average is computed, and rounded. */
const ROUNDED = "average of c2.bias";

/** What the tfjs engine leaves as it is, and moves at rates of their own, with any of its packages. */
export function describeFrozen({ tf, packageName }: LoadedTfjs): void {
  describe(`a file's network on ${packageName}`, () => {
    test.each([
      ["backbone", "backbone", undefined, HEAD],
      ["one layer below the head", 1, 0.1, [...HEAD, ...SECOND]],
      ["everything, the backbone at a tenth of the rate", "none", 0.1, [...HEAD, ...SECOND, ...FIRST]],
    ] as const)("%s: onnxruntime's losses and weights, and the rest unchanged", async (_, wanted, rateFactor, moving) => {
      for (const optimizer of [sgd({ momentum: 0.9 }), adam()]) {
        const options = { network: small(wanted, rateFactor), optimizer, average };
        const before = tf.memory().numTensors;
        const ours = await train(createTfjsEngine({ ...options, tf, packageName }));
        expect(tf.memory().numTensors).toBe(before);
        const theirs = await train(createOnnxRuntimeEngine({ ...options, createSession, threads: 1 }));
        ours.losses.forEach((loss, i) => {
          expect(Math.abs(loss - theirs.losses[i]) / theirs.losses[i], `${optimizer.name}, step ${i + 1}`).toBeLessThan(1e-3);
        });
        const found = changed(ours.before, ours.after).filter((name) => wanted === "backbone" || name !== ROUNDED);
        expect(found.sort()).toEqual(averaged(...moving));
        expect(Object.keys(ours.after.slots)).toEqual(Object.keys(theirs.after.slots));
        if (optimizer.name === "sgd")
          for (const role of ["parameters", "slots", "state", "average"] as const)
            for (const [name, t] of Object.entries(theirs.after[role] ?? {}))
              numbers(t).forEach((value, i) => {
                expect(numbers(ours.after[role]?.[name])[i], name).toBeCloseTo(value, 4);
              });
      }
    });
  });
}
