import { readdirSync, readFileSync } from "node:fs";
import { createSession as createNodeSession } from "../../core/session.node.ts";
import type { Device, SessionMaker } from "../../core/session.ts";
import { float32, type Tensor, tensor, zeros } from "../../core/tensor.ts";
import { ARCHITECTURES, type Architecture, createNetwork } from "../../models/architectures/index.ts";
import { finalOutput } from "../../models/end-of-graph.ts";
import type { Network } from "../../models/network.ts";
import type { StepInput, TrainingEngine, Weights } from "../../training/engine.ts";
import { createOnnxRuntimeEngine } from "../../training/engines/onnxruntime.ts";
import { initialState } from "../../training/engines/variables.ts";
import type { Optimizer } from "../../training/optimizers.ts";
import type { WeightAverage } from "../../training/weight-average.ts";

export interface Sampled {
  readonly l2: number;
  readonly sum: number;
  readonly at: readonly number[];
  readonly values: readonly number[];
}

/** What PyTorch computes in float64 from inputs and parameters made by an integer hash. */
export interface Golden {
  readonly net: string;
  readonly input: readonly number[];
  readonly classes: number;
  /** Units of the hidden layers, where they are not the network's own. */
  readonly hidden?: readonly number[];
  readonly labels: readonly number[];
  readonly parameters: readonly (readonly [string, readonly number[]])[];
  readonly parameter_count: number;
  readonly eval_logits: readonly (readonly number[])[];
  readonly train_logits: readonly (readonly number[])[];
  readonly loss: number;
  readonly gradients: Readonly<Record<string, Sampled>>;
  readonly training: Readonly<
    Record<
      string,
      {
        readonly losses: readonly number[];
        readonly eval_logits_after: readonly (readonly number[])[];
        readonly parameters_after: Readonly<Record<string, Sampled>>;
        readonly running_statistics_after: Readonly<Record<string, Sampled>>;
      }
    >
  >;
}

export const readGolden = (name: string): Golden => JSON.parse(readFileSync(new URL(`../golden/${name}.json`, import.meta.url), "utf8"));

/** The goldens of networks, by name; others are of single operations. */
export const GOLDEN_NETWORKS: readonly string[] = readdirSync(new URL("../golden/", import.meta.url))
  .flatMap((file) => (file.endsWith(".json") ? [file.replace(".json", "")] : []))
  .filter((name) => "net" in readGolden(name));

/** `count` numbers in [-1, 1): murmur3's 32-bit finalizer over (index, seed). */
export function hashed(seed: number, count: number): Float64Array {
  return Float64Array.from({ length: count }, (_, i) => {
    let h = (Math.imul(i, 2654435761) + Math.imul(seed, 40503) + 12345) >>> 0;
    h = Math.imul(h ^ (h >>> 16), 0x85ebca6b) >>> 0;
    h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35) >>> 0;
    return ((h ^ (h >>> 16)) >>> 0) / 2147483648 - 1;
  });
}

/** The goldens' first parameters: batch-norm scales 1 + 0.1 u, weights √(3 / fan_in) · u, biases 0.1 u. */
export function goldenParameters(golden: Golden, network: Network): Weights {
  const scales = new Set(network.graph.nodes.flatMap((node) => (node.op === "BatchNormalization" ? [node.inputs[1]!.name] : [])));
  return Object.fromEntries(
    golden.parameters.map(([name, shape], j) => {
      const fanIn = shape.slice(1).reduce((a, b) => a * b, 1);
      const of = (u: number) => (scales.has(name) ? 1 + 0.1 * u : shape.length > 1 ? u * Math.sqrt(3 / fanIn) : 0.1 * u);
      const u = hashed(
        j + 1,
        shape.reduce((a, b) => a * b, 1),
      );
      return [name, float32(u.map(of), shape)];
    }),
  );
}

export function goldenBatch(golden: Golden): StepInput {
  const targets = zeros("float32", [golden.labels.length, golden.classes]);
  golden.labels.forEach((label, i) => {
    targets.data[i * golden.classes + label] = 1;
  });
  const images = float32(
    hashed(
      1000,
      golden.input.reduce((a, b) => a * b, 1),
    ),
    golden.input,
  );
  return { images, targets };
}

/** The golden's network, its dropout off: a ratio of 0 drops nothing. */
export function goldenNetwork({ net, input, classes, hidden }: Golden): Network {
  const { head }: Architecture = ARCHITECTURES[net as keyof typeof ARCHITECTURES];
  const network = createNetwork(net, {
    classes,
    input: input.slice(1) as [number, number, number],
    head: hidden ? { ...head, hidden } : head,
  });
  const initializers = new Map(network.graph.initializers);
  for (const value of initializers.keys())
    if (value.name.endsWith(".ratio")) initializers.set(value, tensor("float32", [], Float32Array.of(0)));
  return { ...network, graph: { ...network.graph, initializers } };
}

/** Makes the engine that is looked at. */
export type EngineMaker = (options: {
  readonly network: Network;
  readonly optimizer: Optimizer;
  readonly average?: WeightAverage;
}) => TrainingEngine;

/** ONNX Runtime's, on sessions of this maker. */
export const onSessions =
  (createSession: SessionMaker = createNodeSession, device?: Device): EngineMaker =>
  (options) =>
    createOnnxRuntimeEngine({ ...options, createSession, device });

export async function goldenEngine(golden: Golden, optimizer: Optimizer, make: EngineMaker = onSessions()): Promise<TrainingEngine> {
  const network = goldenNetwork(golden);
  const engine = make({ network, optimizer });
  await engine.initialize({ ...initialState({ network, optimizer }, 0), parameters: goldenParameters(golden, network) });
  return engine;
}

export const l2 = (values: ArrayLike<number>): number => Math.sqrt(Array.from(values).reduce((sum, v) => sum + v * v, 0));

/** The first ten outputs of each row, as the goldens keep them: logits, or log-softmax of all where the network ends in it, which the engine leaves to the loss. */
export function firstTen(network: Network, { shape, data }: Tensor<"float32">): number[] {
  const [count, width] = shape;
  return Array.from({ length: count }, (_, row) => {
    const logits = Array.from(data.subarray(row * width, (row + 1) * width));
    const largest = Math.max(...logits);
    const total = Math.log(logits.reduce((sum, z) => sum + Math.exp(z - largest), 0)) + largest;
    const shift = finalOutput(network.graph) === "log-probabilities" ? total : 0;
    return logits.slice(0, 10).map((z) => z - shift);
  }).flat();
}
