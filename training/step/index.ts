import { FivecropError } from "../../core/errors.ts";
import type { Device } from "../../core/session.ts";
import { zeros } from "../../core/tensor.ts";
import { differentiate } from "../../models/autodiff.ts";
import { toLogits } from "../../models/end-of-graph.ts";
import { type Graph, knownShape, type Value } from "../../models/graph/graph.ts";
import { withBatch } from "../../models/graph/with-batch.ts";
import { classCount, type Network } from "../../models/network.ts";
import { OPS } from "../../models/ops/index.ts";
import { softmaxCrossEntropy } from "../losses.ts";
import type { Optimizer } from "../optimizers.ts";
import type { WeightAverage } from "../weight-average.ts";
import { addInGemm } from "./add-in-gemm.ts";
import { NOT_ON_WEBGPU, PROCESSORS } from "./lower/formulation.ts";
import { lower } from "./lower/lower.ts";
import { prepare } from "./prepare.ts";
import { prune } from "./prune.ts";
import { select } from "./select.ts";
import type { TrainingGraph, Variable } from "./training-graph.ts";
import { appendAverages, appendStatistics, appendUpdates } from "./update.ts";

/** Where a step's graph has the loss, the logits, and then the next value of each variable. */
export const LOSS = 0;
export const LOGITS = 1;
const FIRST_VARIABLE = 2;

/**
 * A training step as a graph in logical shapes and with the trainer's own operators: forward, loss, gradients, updates, and the weights' average.
 * @throws FivecropError where a parameter does not influence the logits.
 */
export function writeStep(
  network: Network,
  batch: number,
  optimizer: Optimizer,
  { average, device = "cpu" }: CompileOptions = {},
): TrainingGraph {
  const join = NOT_ON_WEBGPU.includes(device); // which gives one kernel only so many values
  const { builder: g, logits, parameters, idle, statistics, noise } = prepare(network, batch, device);
  const targets = g.input("targets", "float32", [batch, classCount(network)]);
  const loss = softmaxCrossEntropy(g, logits, targets);
  const forward = g.build(network.name, [loss]).nodes;
  const computed = differentiate(
    g,
    forward,
    loss,
    parameters.filter((parameter) => !idle.has(parameter)),
  );
  const gradients = new Map(
    parameters.map((parameter) => {
      const gradient = idle.has(parameter)
        ? g.initializer(`${parameter.name}.gradient`, zeros("float32", knownShape(parameter)))
        : computed.get(parameter);
      if (!gradient)
        throw new FivecropError(
          `parameter '${parameter.name}' of '${network.name}' does not influence its logits. To fix: remove it from the network.`,
        );
      return [parameter, gradient];
    }),
  );
  const updated = appendUpdates(g, gradients, { optimizer, rateFactors: network.rateFactors, join });
  const weights = [...updated, ...appendStatistics(g, statistics, join)];
  const variables = average ? [...weights, ...appendAverages(g, weights, join)] : weights;
  const outputs = [loss, logits, ...variables.map(({ after }) => after)];
  return replaced({ variables, noise }, prune(g.build(`${network.name}/step`, outputs)));
}

export interface CompileOptions {
  /** Keeps a moving average of the weights. */
  readonly average?: WeightAverage;
  /** Where it is to run, cpu: operators are written as that computes them. */
  readonly device?: Device;
}

/**
 * The step in plain ONNX operators, ready to be serialized and run. Its inputs and outputs keep their logical shapes.
 * @throws FivecropError where a parameter does not influence the logits.
 */
export const compileStep = (network: Network, batch: number, optimizer: Optimizer, options: CompileOptions = {}): TrainingGraph =>
  lowerStep(writeStep(network, batch, optimizer, options), options.device);

/** A written step in plain ONNX operators, as `compileStep` gives it: of a large network this takes ten times as long as writing it. */
export function lowerStep(step: TrainingGraph, device: Device = "cpu"): TrainingGraph {
  const lowered = lower(step.graph, select(step.graph, device));
  return replaced(step, PROCESSORS.includes(device) ? addInGemm(lowered) : lowered);
}

/** The same variables in another form of the graph: outputs keep their order, inputs their names. */
function replaced({ variables, noise }: Pick<TrainingGraph, "variables" | "noise">, graph: Graph): TrainingGraph {
  const input = new Map(graph.inputs.map((value) => [value.name, value]));
  return {
    graph,
    variables: variables.map((v, i): Variable => ({ ...v, before: input.get(v.before.name)!, after: graph.outputs[FIRST_VARIABLE + i] })),
    noise: noise.map(({ node, value }) => ({ node, value: input.get(value.name)! })),
  };
}

/** Inference with weights that are fed: images and every weight in, logits out, in plain ONNX operators. */
export function compileForward(network: Network, batch: number, variables: readonly string[], device: Device = "cpu"): Graph {
  const fed = new Set(variables);
  const source = withBatch(toLogits(network.graph), batch, OPS);
  const inputs: Value[] = [...source.initializers.keys()].filter((value) => fed.has(value.name));
  const constants = new Map([...source.initializers].filter(([value]) => !fed.has(value.name)));
  const graph = prune({ ...source, name: `${network.name}/forward`, inputs: [...source.inputs, ...inputs], initializers: constants });
  return lower(graph, select(graph, device));
}
