import { FivecropError, messageOf } from "../core/errors.ts";
import type { GraphBuilder } from "./graph/builder.ts";
import type { Node, Value } from "./graph/graph.ts";
import type { OpDefinition } from "./graph/op.ts";
import { OPS } from "./ops/index.ts";

/**
 * Appends the nodes that compute dL/d(value) for each wanted value, by one walk from the loss backwards (reverse mode).
 * It knows no operator by name: each answers for itself, with operators of the graph.
 * @param nodes the forward nodes, in execution order
 * @param loss a scalar, or any value y with its own dL/dy as `seed`
 * @returns the gradient of each wanted value; none where the loss does not depend on it.
 * @throws FivecropError that names the node, where one on the way has no gradient, or none of this form.
 * @see Griewank and Walther, "Evaluating Derivatives", 2008, chapter 3
 */
export function differentiate(
  g: GraphBuilder,
  nodes: readonly Node[],
  loss: Value,
  wanted: readonly Value[],
  seed = g.scalar(1),
): ReadonlyMap<Value, Value> {
  const reached = new Set<Value>(wanted); // floats that depend on a wanted one: only they need gradients; conditions and indices have none
  for (const node of nodes)
    if (node.inputs.some((value) => value && reached.has(value)))
      for (const value of node.outputs) if (value.dtype === "float32") reached.add(value);

  const gradients = new Map<Value, Value>([[loss, seed]]);
  for (const node of nodes.toReversed()) {
    const arriving = node.outputs.map((value) => gradients.get(value));
    if (arriving.every((value) => value === undefined) || !node.outputs.some((value) => reached.has(value))) continue;
    const { gradient } = OPS[node.op as keyof typeof OPS] as OpDefinition;
    if (!gradient)
      throw new FivecropError(
        `node '${node.name}' (${node.op}) has no gradient, and a value whose gradient is wanted lies before it. ` +
          "To fix: take gradients behind it only (train --freeze backbone, --explain --layer NAME), or write the model without this operator.",
      );
    const site = { inputs: node.inputs as readonly Value[], outputs: node.outputs, attributes: node.attributes, gradients: arriving };
    const contributions = named(node, () => g.within(`${node.name}.gradient`, () => gradient(g, site)));
    contributions.forEach((contribution, i) => {
      const input = node.inputs[i];
      if (!contribution || !input || !reached.has(input)) return;
      const sum = gradients.get(input);
      gradients.set(input, sum ? g.add("Add", [sum, contribution]) : contribution);
    });
  }
  return new Map(wanted.flatMap((value) => (gradients.has(value) ? [[value, gradients.get(value)!]] : [])));
}

function named<Written>({ name, op }: Node, write: () => Written): Written {
  try {
    return write();
  } catch (cause) {
    throw new FivecropError(`node '${name}' (${op}): its gradient cannot be written: ${messageOf(cause)}`, { cause });
  }
}
