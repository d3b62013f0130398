import { FivecropError } from "../../core/errors.ts";
import { random } from "../../core/random.ts";
import { sizeOf, type Tensor, tensor, zeros } from "../../core/tensor.ts";
import { knownShape, type Value } from "../../models/graph/graph.ts";
import { initialParameters, isTrained, isTrainedNorm, type Network } from "../../models/network.ts";
import { ROLES, type Role, type TrainingEngine, type TrainingState, type Weights } from "../engine.ts";
import { slotName } from "../step/update.ts";
import { averageName } from "../weight-average.ts";

/** A network's running statistics: the constants that batch norm's inference form reads. */
export const statisticsOf = (network: Network): readonly Value[] =>
  network.graph.nodes.flatMap((node) => (node.op === "BatchNormalization" ? (node.inputs.slice(3) as Value[]) : []));

/** The variables that no step changes: frozen parameters, the running statistics of frozen norms, and the averages of both. */
export function fixedVariables(network: Network): ReadonlySet<string> {
  const moving = new Set(network.graph.nodes.flatMap((node) => (isTrainedNorm(network, node) ? node.inputs.slice(3) : [])));
  const values = [
    ...[...network.parameters.keys()].filter((value) => !isTrained(network, value)),
    ...statisticsOf(network).filter((value) => !moving.has(value)),
  ];
  return new Set(values.flatMap(({ name }) => [name, averageName(name)]));
}

/** What the variables of a step depend on. */
export type Trained = Pick<TrainingEngine, "network" | "optimizer" | "average">;

/** The variable that holds a state's tensor. */
const variableName = (role: Role, name: string): string => (role === "average" ? averageName(name) : name);

/** Names and shapes of everything that a step replaces, as the state names it. */
function variablesOf({ network, optimizer, average }: Trained): Readonly<Record<Role, ReadonlyMap<string, readonly number[]>>> {
  const parameters = [...network.parameters.keys()].map((value) => [value.name, knownShape(value)] as const);
  const state = statisticsOf(network).map((value) => [value.name, knownShape(value)] as const);
  return {
    parameters: new Map(parameters),
    slots: new Map(
      [...network.parameters.keys()].flatMap((value) =>
        isTrained(network, value) ? optimizer.slots.map((slot) => [slotName(value.name, slot), knownShape(value)] as const) : [],
      ),
    ),
    state: new Map(state),
    average: new Map(average ? [...parameters, ...state] : []),
  };
}

/** The state before the first step, in memory of its own. */
export function initialState(trained: Trained, seed: number): TrainingState {
  const { network, average } = trained;
  const { slots } = variablesOf(trained);
  const parameters = initialParameters(network, seed);
  const state = copies(
    Object.fromEntries(statisticsOf(network).map((value) => [value.name, network.graph.initializers.get(value) as Tensor<"float32">])),
  );
  return {
    step: 0,
    seed,
    parameters,
    slots: Object.fromEntries([...slots].map(([name, shape]) => [name, zeros("float32", shape)])),
    state,
    ...(average && { average: copies({ ...parameters, ...state }) }),
  };
}

/** What a training starts from: a state that was given is copied, since steps write over their variables; the first values of a seed are new. @throws FivecropError */
export function startOf(trained: Trained, from: TrainingState | { readonly seed: number }) {
  if (!("parameters" in from)) return { step: 0, seed: from.seed, variables: toVariables(trained, initialState(trained, from.seed)) };
  return { step: from.step, seed: from.seed, variables: copies(toVariables(trained, from)) };
}

const copies = (tensors: Weights): Weights =>
  Object.fromEntries(Object.entries(tensors).map(([name, { shape, data }]) => [name, tensor("float32", shape, data.slice())]));

/**
 * A state's tensors by variable name.
 * @throws FivecropError where it is not of this network and optimizer.
 */
function toVariables(trained: Trained, from: TrainingState): Weights {
  const { network, optimizer } = trained;
  const wanted = variablesOf(trained);
  const entries = ROLES.flatMap((role) => {
    const given = from[role] ?? {};
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
    return Object.entries(given).map(([name, t]) => [variableName(role, name), t] as const);
  });
  return Object.fromEntries(entries);
}

/** The other way: variables by role, copied. */
export function groupVariables(trained: Trained, variables: Weights): Pick<TrainingState, Role> {
  const wanted = variablesOf(trained);
  const group = (role: Role): Weights =>
    Object.fromEntries(
      [...wanted[role].keys()].map((name) => {
        const { shape, data } = variables[variableName(role, name)];
        return [name, tensor("float32", shape, data.slice())];
      }),
    );
  const [parameters, slots, state, average] = ROLES.map(group);
  return { parameters, slots, state, ...(trained.average && { average }) };
}

/** The numbers in [0, 1) that a node draws at a step, the same on every engine and after a resume. */
export function noiseAt(seed: number, step: number, node: string, shape: readonly number[]): Tensor<"float32"> {
  return tensor("float32", shape, random(seed).fork("noise", step, node).uniforms(sizeOf(shape)));
}

/** Images with zeros behind them, so that they fill a batch. */
export function padBatch(images: Tensor<"float32">, batch: number): Tensor<"float32"> {
  const whole = zeros("float32", [batch, ...images.shape.slice(1)]);
  whole.data.set(images.data);
  return whole;
}
