import { FivecropError } from "../../core/errors.ts";
import { random } from "../../core/random.ts";
import { sizeOf, type Tensor, tensor, zeros } from "../../core/tensor.ts";
import { knownShape, type Value } from "../../models/graph/graph.ts";
import { initialParameters, type Network } from "../../models/network.ts";
import type { TrainingState, Weights } from "../engine.ts";
import type { Optimizer } from "../optimizers.ts";
import { slotName } from "../step/update.ts";

/** A network's running statistics: the constants that batch norm's inference form reads. */
export const statisticsOf = (network: Network): readonly Value[] =>
  network.graph.nodes.flatMap((node) => (node.op === "BatchNormalization" ? (node.inputs.slice(3) as Value[]) : []));

type Role = "parameters" | "slots" | "state";

/** Names and shapes of everything that a step replaces. */
function variablesOf(network: Network, optimizer: Optimizer): Readonly<Record<Role, ReadonlyMap<string, readonly number[]>>> {
  const parameters = [...network.parameters.keys()].map((value) => [value.name, knownShape(value)] as const);
  return {
    parameters: new Map(parameters),
    slots: new Map(parameters.flatMap(([name, shape]) => optimizer.slots.map((slot) => [slotName(name, slot), shape] as const))),
    state: new Map(statisticsOf(network).map((value) => [value.name, knownShape(value)])),
  };
}

/** The state before the first step. */
export function initialState(network: Network, optimizer: Optimizer, seed: number): TrainingState {
  const { slots } = variablesOf(network, optimizer);
  return {
    step: 0,
    seed,
    parameters: initialParameters(network, seed),
    slots: Object.fromEntries([...slots].map(([name, shape]) => [name, zeros("float32", shape)])),
    state: Object.fromEntries(
      statisticsOf(network).map((value) => [value.name, network.graph.initializers.get(value) as Tensor<"float32">]),
    ),
  };
}

/**
 * A state's tensors by variable name, copied.
 * @throws FivecropError where it is not of this network and optimizer.
 */
export function copyVariables(network: Network, optimizer: Optimizer, from: TrainingState): Record<string, Tensor<"float32">> {
  const wanted = variablesOf(network, optimizer);
  const entries = (["parameters", "slots", "state"] as const).flatMap((role) => {
    const given = from[role];
    const problems = [
      ...[...wanted[role]].flatMap(([name, shape]) => {
        if (!given[name]) return [`'${name}' is missing`];
        return String(given[name].shape) === String(shape) ? [] : [`'${name}': expected [${shape}], received [${given[name].shape}]`];
      }),
      ...Object.keys(given).flatMap((name) => (wanted[role].has(name) ? [] : [`'${name}' is not one of them`])),
    ];
    if (problems.length)
      throw new FivecropError(
        `this checkpoint is not of network '${network.name}' with optimizer '${optimizer.name}': of its ${role}, ${problems.slice(0, 3).join("; ")}` +
          `${problems.length > 3 ? ` and ${problems.length - 3} more` : ""}. To fix: resume with the options that it was made with.`,
      );
    return Object.entries(given).map(([name, t]) => [name, tensor("float32", t.shape, t.data.slice())] as const);
  });
  return Object.fromEntries(entries);
}

/** The other way: variables by role, copied. */
export function groupVariables(
  network: Network,
  optimizer: Optimizer,
  variables: Weights,
): Pick<TrainingState, "parameters" | "slots" | "state"> {
  const wanted = variablesOf(network, optimizer);
  const group = (role: Role): Weights =>
    Object.fromEntries(
      [...wanted[role].keys()].map((name) => [name, tensor("float32", variables[name].shape, variables[name].data.slice())]),
    );
  return { parameters: group("parameters"), slots: group("slots"), state: group("state") };
}

/** The numbers in [0, 1) that a node draws at a step, the same on every engine and after a resume. */
export function noiseAt(seed: number, step: number, node: string, shape: readonly number[]): Tensor<"float32"> {
  const { uniform } = random(seed).fork("noise", step, node);
  return tensor("float32", shape, Float32Array.from({ length: sizeOf(shape) }, uniform));
}

/** Images with zeros behind them, so that they fill a batch. */
export function padBatch(images: Tensor<"float32">, batch: number): Tensor<"float32"> {
  const whole = zeros("float32", [batch, ...images.shape.slice(1)]);
  whole.data.set(images.data);
  return whole;
}
