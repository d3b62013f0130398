import { faultOf } from "../../core/device-fault.ts";
import { FivecropError, messageOf } from "../../core/errors.ts";
import { type Tensor, tensor } from "../../core/tensor.ts";
import { plural } from "../../core/text.ts";
import { toLogits } from "../../models/end-of-graph.ts";
import type { Graph, Node } from "../../models/graph/graph.ts";
import { dropDead } from "../../models/graph/needed.ts";
import { withBatch } from "../../models/graph/with-batch.ts";
import { classCount, isTrained, isTrainedNorm, type Network, networkForSize } from "../../models/network.ts";
import { OPS } from "../../models/ops/index.ts";
import type { StepInput, StepResult, TrainingEngine, Weights } from "../engine.ts";
import type { Optimizer } from "../optimizers.ts";
import { idleBiases } from "../step/idle-biases.ts";
import { normalizedCount } from "../step/norm-count.ts";
import { poolBeforeRelu } from "../step/pool-before-relu.ts";
import { slotName } from "../step/update.ts";
import { averageName, checkAverage, type WeightAverage } from "../weight-average.ts";
import { ofImages } from "./of-images.ts";
import type { Layout, Tf, TfTensor, TfVariable, TrainingStep } from "./tfjs-kernel.ts";
import { relay } from "./tfjs-layout.ts";
import { compileProgram, layoutsOf, type Program } from "./tfjs-program.ts";
import { type Observed, tfArithmetic, type Updating, updateAverages, updateParameters, updateStatistics } from "./tfjs-update.ts";
import { fixedVariables, groupVariables, noiseAt, startOf, statisticsOf } from "./variables.ts";

export interface TfjsEngineOptions {
  readonly network: Network;
  readonly optimizer: Optimizer;
  /** Keeps a moving average of the weights, which then predicts. */
  readonly average?: WeightAverage;
  /** TensorFlow.js, of any of its packages. */
  readonly tf: Tf;
  /** What messages call it. */
  readonly packageName?: string;
}

/** At most this many programs are kept for training, and as many for prediction: the full batch's and the last, smaller batch's. */
const MOST_PROGRAMS = 2;

/** The forward graph at one batch size, as it is interpreted. */
const forwardGraph = (network: Network, batch: number): Graph => dropDead(poolBeforeRelu(withBatch(toLogits(network.graph), batch, OPS)));

/**
 * Interprets the network's forward graph with tensorflow's operators, images channels last, and takes tensorflow's own gradients: an engine that shares
 * nothing of the step compiler but what is the same for all, the update rules, the noise, and which biases have no gradient.
 */
export function createTfjsEngine(options: TfjsEngineOptions): TrainingEngine {
  const { network, optimizer, average, tf, packageName = "tfjs" } = options;
  if (average) checkAverage(average);
  const math = tfArithmetic(tf);
  const variables = new Map<string, TfVariable>();
  const updating: Updating = { tf, math, variables, optimizer, average, rateFactors: network.rateFactors, fixed: fixedVariables(network) };
  const programs = { training: new Map<string, Program>(), prediction: new Map<string, Program>() };
  const ownLayouts = layoutsOf(forwardGraph(network, 1));
  const layouts = new Map<string, Layout>(
    [...network.parameters.keys(), ...statisticsOf(network)].flatMap(({ name }) => {
      const kept = [name, averageName(name), ...optimizer.slots.map((slot) => slotName(name, slot))];
      return kept.map((each) => [each, ownLayouts.get(name) ?? "standard"] as const);
    }),
  );
  const idle = new Set([...idleBiases(forwardGraph(network, 1), (node) => isTrainedNorm(network, node))].map(({ name }) => name));
  const names = [...network.parameters.keys()].flatMap((value) => (isTrained(network, value) ? [value.name] : []));
  let seed = 0;
  let done = 0;

  function programFor(shape: readonly number[], training: boolean): Program {
    const kept = training ? programs.training : programs.prediction;
    const known = kept.get(String(shape));
    if (known) return known;
    const [batch, ...input] = shape as [number, number, number, number];
    const sized = training ? networkForSize(network, input) : network;
    const graph = forwardGraph(sized, batch);
    if (training) for (const node of graph.nodes) if (isTrainedNorm(sized, node)) normalizedCount(node, node.inputs[0]!);
    const isTraining = (node: Node): boolean => training && (node.op !== "BatchNormalization" || isTrainedNorm(sized, node));
    const made = compileProgram(tf, graph, layouts, isTraining);
    if (kept.size === MOST_PROGRAMS) {
      const [oldest, program] = [...kept][0];
      kept.delete(oldest);
      program.dispose();
    }
    kept.set(String(shape), made);
    return made;
  }

  /** Everything of a step that runs on tensorflow. @returns the loss and the logits in one tensor: one wait for the device. */
  function step(program: Program, { images, targets }: StepInput, learningRate: number): TfTensor {
    const seen: Observed[] = [];
    const kept: TfTensor[] = [];
    const hooks: TrainingStep = {
      noise: (node, shape) => noiseAt(seed, done, node.name, shape).data,
      observe: (node, mean, variance) => {
        kept.push(mean, variance);
        seen.push({ node, mean, variance });
      },
    };
    try {
      return tf.tidy(() => {
        const x = tf.tensor(images.data, [...images.shape]);
        const wanted = tf.tensor(targets.data, [...targets.shape]);
        let logits: TfTensor | undefined;
        const trained = names.flatMap((name) => (idle.has(name) ? [] : [variables.get(name)!]));
        const { value: loss, grads } = tf.variableGrads(() => {
          logits = tf.keep(program.run(x, variables, hooks));
          kept.push(logits);
          const agreement = tf.sum(tf.mul(wanted, tf.logSoftmax(logits)));
          return tf.mul(agreement, math.constant(-1 / images.shape[0])) as ReturnType<Tf["scalar"]>;
        }, trained);
        const gradients = new Map(names.map((name) => [name, gradientOf(name, grads)]));
        updateParameters(updating, gradients, learningRate, done + 1);
        updateStatistics(updating, seen);
        updateAverages(updating, done + 1);
        return tf.concat([tf.reshape(loss, [1]), tf.reshape(logits!, [-1])]);
      });
    } finally {
      tf.dispose(kept);
    }
  }

  function gradientOf(name: string, gradients: Readonly<Record<string, TfTensor | null>>): TfTensor {
    const variable = variables.get(name)!;
    const gradient = idle.has(name) ? tf.zerosLike(variable as TfTensor) : gradients[variable.name];
    if (gradient) return gradient;
    throw new FivecropError(`parameter '${name}' of '${network.name}' does not influence its logits. To fix: remove it from the network.`);
  }

  /** Runs on tensorflow, which may say that it failed only where its result is read. @throws FivecropError: DeviceMemoryError, DeviceLostError where it says so. */
  function computed(shape: readonly number[], run: () => TfTensor): Promise<Float32Array> {
    return ofImages(shape, async () => {
      try {
        const result = run();
        const numbers = (await result.data()) as Float32Array;
        result.dispose();
        return numbers;
      } catch (cause) {
        if (cause instanceof FivecropError) throw cause;
        const [line] = messageOf(cause).split("\n");
        const Fault = faultOf(line);
        throw new Fault(`${packageName} could not compute with ${plural(shape[0], "image")}: ${line}`, { cause });
      }
    });
  }

  async function trainOne(batch: StepInput, learningRate: number): Promise<StepResult> {
    const { shape } = batch.images;
    const program = programFor(shape, true);
    const numbers = await computed(shape, () => step(program, batch, learningRate));
    done++;
    return { loss: numbers[0], logits: tensor("float32", [shape[0], classCount(network)], numbers.slice(1)) };
  }

  /** Every variable in the network's own shape. */
  async function download(): Promise<Weights> {
    const read = async ([name, variable]: [string, TfVariable]): Promise<[string, Tensor<"float32">]> => {
      const own = tf.tidy(() => tf.clone(relay(tf, variable as TfTensor, layouts.get(name)!, "standard")));
      const data = (await own.data()) as Float32Array;
      const shape = [...own.shape];
      own.dispose();
      return [name, tensor("float32", shape, data)];
    };
    return Object.fromEntries(await Promise.all([...variables].map(read)));
  }

  return {
    name: "tfjs",
    network,
    optimizer,
    average,
    async initialize(from) {
      const start = startOf(options, from);
      tf.dispose([...variables.values()]);
      variables.clear();
      for (const [name, { shape, data }] of Object.entries(start.variables)) {
        const variable = tf.tidy(() => tf.variable(relay(tf, tf.tensor(data, [...shape]), "standard", layouts.get(name)!)));
        variables.set(name, variable);
      }
      seed = start.seed;
      done = start.step;
    },
    prepare(shapes) {
      for (const shape of shapes) programFor(shape, true);
    },
    async train(batches, learningRates) {
      const results: StepResult[] = [];
      for (const [i, batch] of batches.entries()) results.push(await trainOne(batch, learningRates[i]));
      return results;
    },
    async predict(images) {
      const { shape } = images;
      const program = programFor(shape, false);
      const weights = new Map([...variables].map(([name, own]) => [name, (variables.get(averageName(name)) ?? own) as TfTensor]));
      const data = await computed(shape, () => tf.tidy(() => program.run(tf.tensor(images.data, [...shape]), weights)));
      return tensor("float32", [shape[0], classCount(network)], data);
    },
    async state() {
      return { step: done, seed, ...groupVariables(options, await download()) };
    },
    async dispose() {
      for (const kept of Object.values(programs)) {
        for (const program of kept.values()) program.dispose();
        kept.clear();
      }
      tf.dispose([...variables.values()]);
      variables.clear();
      math.dispose();
    },
  };
}
