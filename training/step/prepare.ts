import { random } from "../../core/random.ts";
import type { Device } from "../../core/session.ts";
import { numbersOf } from "../../core/tensor.ts";
import { toLogits } from "../../models/end-of-graph.ts";
import type { GraphBuilder } from "../../models/graph/builder.ts";
import { knownShape, type Node, type Value } from "../../models/graph/graph.ts";
import { withBatch } from "../../models/graph/with-batch.ts";
import { isTrained, isTrainedNorm, type Network } from "../../models/network.ts";
import { graphBuilder, OPS } from "../../models/ops/index.ts";
import { indicator } from "../../models/ops/shared.ts";
import { convByPhases } from "./conv-by-phases.ts";
import { idleBiases } from "./idle-biases.ts";
import { PROCESSORS } from "./lower/formulation.ts";
import { normalizedCount } from "./norm-count.ts";
import { type Moved, poolBeforeNorm } from "./pool-before-norm.ts";
import { poolBeforeRelu } from "./pool-before-relu.ts";
import { separatePools } from "./separate-pools.ts";
import type { Noise, RunningStatistic } from "./training-graph.ts";

/** The forward part of a step, in training mode: what the loss and the gradients are appended to. */
export interface Prepared {
  readonly builder: GraphBuilder;
  readonly logits: Value;
  /** The values that are trained, by the name of the network's own. */
  readonly parameters: readonly Value[];
  /** Parameters whose gradient is exactly 0. */
  readonly idle: ReadonlySet<Value>;
  readonly statistics: readonly RunningStatistic[];
  readonly noise: readonly Noise[];
}

/**
 * A network's graph for training at one batch size: parameters, frozen ones too, become inputs; batch norm, where it is not frozen, normalizes by the batch and moves its
 * running statistics; dropout is a product with a fed noise mask; a final softmax or log-softmax goes, since the loss takes logits.
 * @throws FivecropError where a batch norm would normalize over a single value.
 */
export function prepare(network: Network, batch: number, device: Device): Prepared {
  const convolved = poolBeforeRelu(withBatch(toLogits(network.graph), batch, OPS));
  const pooled = separatePools(PROCESSORS.includes(device) ? convByPhases(convolved) : convolved);
  const isTrainable = (node: Node): boolean => isTrainedNorm(network, node);
  const idle = idleBiases(pooled, isTrainable);
  const startsAtZero = (scale: Value): boolean => network.parameters.get(scale)?.(knownShape(scale), random(0)).includes(0) ?? true;
  const { graph: source, moved } = poolBeforeNorm(pooled, (norm) => !isTrainable(norm) || startsAtZero(norm.inputs[1]!));
  const names = new Set([...network.parameters.keys()].map((value) => value.name));
  const statisticsOf = (fixed: boolean): ReadonlySet<Value | undefined> =>
    new Set(source.nodes.flatMap((node) => (isNorm(node) && isTrainable(node) !== fixed ? node.inputs.slice(3) : [])));
  const [moving, fixed] = [statisticsOf(false), statisticsOf(true)];
  const bound = new Map<Value, Value>();
  const at = (value: Value): Value => bound.get(value) ?? value;
  const statistics: RunningStatistic[] = [];
  const noise: Noise[] = [];
  const momentsOf = (node: Node): Moved | undefined => {
    const found = moved.get(node.outputs[0]);
    return found && { source: at(found.source), sign: at(found.sign) };
  };

  const constants = new Map(
    [...source.initializers].filter(([value]) => !names.has(value.name) && !moving.has(value) && !fixed.has(value)),
  );
  const g = graphBuilder({ ...source, initializers: constants, nodes: [], outputs: [] });
  const parameters = [...source.initializers.keys()].flatMap((value) => {
    if (!names.has(value.name) && !fixed.has(value)) return [];
    bound.set(value, g.input(value.name, value.dtype, value.shape));
    return isTrained(network, value) ? [at(value)] : [];
  });
  for (const node of source.nodes) {
    const inputs = node.inputs.map((value) => value && at(value));
    const isFixed = isNorm(node) && !isTrainable(node);
    const special = Object.hasOwn(IN_TRAINING, node.op) && !isFixed ? IN_TRAINING[node.op] : undefined;
    const outputs = special
      ? g.within(node.name, () => special(g, { ...node, inputs }, { statistics, noise, moved: momentsOf(node) }))
      : g.addAll(node.op, inputs, node.attributes, node.name);
    outputs.forEach((value, i) => {
      bound.set(node.outputs[i], value);
    });
  }
  const logits = at(source.outputs[0]);
  return { builder: g, logits, parameters, idle: new Set([...idle].map(at)), statistics, noise };
}

const isNorm = ({ op }: Node): boolean => op === "BatchNormalization";

type Rewrite = (
  g: GraphBuilder,
  node: Node,
  training: { statistics: RunningStatistic[]; noise: Noise[]; moved: Moved | undefined },
) => readonly Value[];

/** Operators that do something else in training. */
const IN_TRAINING: Readonly<Record<string, Rewrite>> = {
  /** The running variance keeps the unbiased estimate, as in PyTorch; `momentum` is the share that stays. */
  BatchNormalization(g, node, { statistics, moved }) {
    const [x, scale, bias, mean, variance] = node.inputs as Value[];
    const { epsilon, momentum } = node.attributes as { epsilon: number; momentum: number };
    const source = moved?.source ?? x; // which a moved norm's pools keep for their gradients
    const signed = (vector: Value): Value => (moved ? g.add("Mul", [vector, moved.sign]) : vector);
    const [batchMean, batchVariance] = g.addAll("BatchMoments", [source], { centered: moved ? 0 : 1 }, `${node.name}/moments`);
    const y = g.add("BatchNormalization", [x, signed(scale), bias, batchMean, batchVariance], { epsilon }, node.name);
    const count = normalizedCount(node, source);
    const move = (running: Value, observed: Value, correction: number) => {
      const before = g.input(running.name, running.dtype, running.shape);
      statistics.push({ running: before, observed, kept: momentum, taken: (1 - momentum) * correction });
    };
    move(mean, signed(batchMean), 1);
    move(variance, batchVariance, count / (count - 1));
    return [y];
  },
  /** x · [u ≥ ratio] / (1 − ratio), u uniform in [0, 1). */
  Dropout(g, node, { noise }) {
    const [x, ratioValue] = node.inputs as Value[];
    const [ratio] = ratioValue ? numbersOf(g.constantOf(ratioValue)!) : [0.5];
    if (ratio === 0) return [x];
    const value = g.input(`${node.name}/noise`, "float32", x.shape);
    noise.push({ node: node.name, value });
    const mask = g.add("Mul", [indicator(g, g.add("GreaterOrEqual", [value, g.scalar(ratio)])), g.scalar(1 / (1 - ratio))]);
    return [g.add("Mul", [x, mask], {}, node.name)];
  },
};
