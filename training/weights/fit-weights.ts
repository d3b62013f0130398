import { FivecropError } from "../../core/errors.ts";
import { nearestNames } from "../../core/nearest.ts";
import type { Tensor } from "../../core/tensor.ts";
import { count, plural } from "../../core/text.ts";
import type { StoredTensor } from "../../export/torch-tensors.ts";
import { headNodes } from "../../models/end-of-graph.ts";
import { knownShape, type Value } from "../../models/graph/graph.ts";
import { given } from "../../models/learned.ts";
import type { Network } from "../../models/network.ts";
import { statisticsOf } from "../engines/variables.ts";

/** A file's tensors by name. */
export interface Weights {
  /** For messages. */
  readonly file: string;
  readonly tensors: ReadonlyMap<string, StoredTensor>;
}

/** A network that begins with the weights of a file. */
export interface FittedWeights {
  readonly network: Network;
  /** How many of its tensors are the file's, and of how many. */
  readonly taken: number;
  readonly of: number;
  /** The classifier head's, where the file has none of that name or that size: they are drawn. */
  readonly fresh: readonly string[];
  /** Those of them that the file has not in any size. */
  readonly absent: readonly string[];
  /** Of the file, and without a place in the network: of its head, and counters of batches. */
  readonly unused: readonly string[];
  /** What was done to names. */
  readonly notes: readonly string[];
}

const MOST_LISTED = 10;
/** Whether a tensor counts a batch norm's batches, which no network here reads. */
export const isCounter = (name: string): boolean => /(^|\.)num_batches_tracked$/.test(name);

const PARALLEL = "module.";
/** DenseNets that PyTorch saved before modules' names could hold no dots: `denselayer1.norm.1.weight`. As torchvision's own loader has it. */
const OLD_DENSENET = /^(.*denselayer\d+\.(?:norm|relu|conv))\.([12]\.(?:weight|bias|running_mean|running_var))$/;

/**
 * A network with a file's weights and running statistics in place of its first ones. Names and shapes have to be the same but for the classifier head: where
 * that has another size, it is left to be drawn. `module.` before all names (of DataParallel) is taken off, and old names of DenseNets are read.
 * @throws FivecropError that lists what does not fit, at most ten of it, with the nearest names.
 */
export function fitWeights(network: Network, weights: Weights): FittedWeights {
  const wanted = new Map([...network.parameters.keys(), ...statisticsOf(network)].map((value) => [value.name, value]));
  const { tensors, notes } = renamed(weights.tensors, wanted);
  const head = headOf(network);
  const isHead = (name: string): boolean => head.names.has(name) || (head.scope !== "" && name.startsWith(head.scope));

  const problems: string[] = [];
  const fresh: string[] = [];
  const absent: string[] = [];
  const taken = new Map<Value, Tensor<"float32">>();
  const missing: string[] = [];
  for (const [name, value] of wanted) {
    const [stored, shape] = [tensors.get(name), knownShape(value)];
    const fits = stored && String(stored.shape) === String(shape);
    if (fits && stored.read) taken.set(value, finite(stored.read(), name, weights.file));
    else if (isHead(name) && !fits) {
      fresh.push(name);
      if (!stored) absent.push(name);
    } else if (!stored) missing.push(name);
    else
      problems.push(
        `'${name}': expected ${fits ? "floating-point numbers" : `[${shape}]`}, found ${fits ? stored.type : `[${stored.shape}]`}`,
      );
  }
  const surplus = [...tensors.keys()].filter((name) => !wanted.has(name) && !isCounter(name) && !isHead(name));
  problems.push(
    ...missing.map((name) => `'${name}' is missing${nearest(name, surplus)}`),
    ...surplus.map((name) => `'${name}' is none of the network's${nearest(name, missing)}`),
  );
  if (problems.length)
    throw new FivecropError(
      `${weights.file} does not fit the network '${network.name}': ${count(taken.size)} of its ${plural(wanted.size, "tensor")} are there. ` +
        `${problems.slice(0, MOST_LISTED).join("; ")}${problems.length > MOST_LISTED ? `; and ${count(problems.length - MOST_LISTED)} more` : ""}. ` +
        "To fix: name with --model the network that these weights are of.",
    );
  const unused = [...tensors.keys()].filter((name) => !wanted.has(name));
  return { network: withWeights(network, taken), taken: taken.size, of: wanted.size, fresh, absent, unused, notes };
}

const nearest = (name: string, names: readonly string[]): string => {
  const [found] = nearestNames(name, names, 1);
  return found === undefined ? "" : ` (nearest: '${found}')`;
};

function finite(t: Tensor<"float32">, name: string, file: string): Tensor<"float32"> {
  const at = t.data.findIndex((value) => !Number.isFinite(value));
  if (at >= 0)
    throw new FivecropError(
      `${file}: '${name}' holds ${t.data[at]}: expected finite numbers. To fix: take weights from before the training diverged.`,
    );
  return t;
}

/** The file's tensors by the names that the network has. */
function renamed(
  tensors: ReadonlyMap<string, StoredTensor>,
  wanted: ReadonlyMap<string, Value>,
): { readonly tensors: ReadonlyMap<string, StoredTensor>; readonly notes: readonly string[] } {
  const isParallel = [...tensors.keys()].every((name) => name.startsWith(PARALLEL));
  let old = 0;
  const entries = [...tensors].map(([given, t]) => {
    const name = isParallel ? given.slice(PARALLEL.length) : given;
    const parts = OLD_DENSENET.exec(name);
    if (!parts || wanted.has(name)) return [name, t] as const;
    old++;
    return [`${parts[1]}${parts[2]}`, t] as const;
  });
  const notes = [
    ...(isParallel ? [`'${PARALLEL}' before all names is taken off`] : []),
    ...(old ? [`${plural(old, "old name")} of a DenseNet such as norm.1 read as norm1`] : []),
  ];
  return { tensors: new Map(entries), notes };
}

/** The linear layers that the logits come from, up to the features, and the scope that they share, with its dot. */
function headOf({ graph, parameters }: Network): { readonly names: ReadonlySet<string>; readonly scope: string } {
  const names = new Set<string>();
  for (const { inputs } of headNodes(graph)) for (const input of inputs) if (input && parameters.has(input)) names.add(input.name);
  const paths = [...names].map((name) => name.split(".").slice(0, -1));
  const [first = []] = paths;
  const shared = first.findIndex((part, i) => paths.some((path) => path[i] !== part));
  const scope = first.slice(0, shared < 0 ? first.length : shared);
  return { names, scope: scope.length ? `${scope.join(".")}.` : "" };
}

function withWeights(network: Network, taken: ReadonlyMap<Value, Tensor<"float32">>): Network {
  const parameters = [...network.parameters].map(([value, initializer]) => {
    const t = taken.get(value);
    return [value, t ? given(t) : initializer] as const;
  });
  const initializers = [...network.graph.initializers].map(([value, t]) => [value, taken.get(value) ?? t] as const);
  return { ...network, parameters: new Map(parameters), graph: { ...network.graph, initializers: new Map(initializers) } };
}
