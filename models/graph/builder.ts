import { messageOf, ShapeError } from "../../core/errors.ts";
import { type DType, scalar, type Tensor } from "../../core/tensor.ts";
import type { Attributes, Dimension, Graph, Node, Value, ValueType } from "./graph.ts";
import type { OpDefinition, OpTable } from "./op.ts";
import { printType } from "./print.ts";

/** Writes a graph node by node. Each node's attributes are completed and its output types inferred as it is added, so a mistake shows at its own line. */
export class GraphBuilder {
  readonly #ops: OpTable;
  readonly #inputs: Value[] = [];
  readonly #initializers = new Map<Value, Tensor>();
  readonly #nodes: Node[] = [];
  readonly #names = new Set<string>();
  readonly #scalars = new Map<number, Value>();
  #prefix = "";

  /** @param from a graph to go on from: its inputs, initializers and nodes keep their identity. */
  constructor(ops: OpTable, from?: Graph) {
    this.#ops = ops;
    if (!from) return;
    this.#inputs.push(...from.inputs);
    this.#nodes.push(...from.nodes);
    for (const [value, t] of from.initializers) this.#initializers.set(value, t);
    for (const value of [...from.inputs, ...from.initializers.keys(), ...from.nodes.flatMap((n) => n.outputs)]) this.#names.add(value.name);
  }

  /** A name that no value has yet: the wanted one, or with the first free number behind it. */
  #free(wanted: string): string {
    let name = wanted;
    for (let i = 2; this.#names.has(name); i++) name = `${wanted}_${i}`;
    this.#names.add(name);
    return name;
  }

  /** Names that are left out while `write` runs get this prefix: they say what they belong to. */
  within<T>(prefix: string, write: () => T): T {
    const outer = this.#prefix;
    this.#prefix = `${prefix}/`;
    try {
      return write();
    } finally {
      this.#prefix = outer;
    }
  }

  input(name: string, dtype: DType, shape: readonly Dimension[]): Value {
    const value = { name: this.#free(name), dtype, shape };
    this.#inputs.push(value);
    return value;
  }

  /** A tensor that the graph holds: a weight, or a constant. */
  initializer(name: string, t: Tensor): Value {
    const value = { name: this.#free(name), dtype: t.dtype, shape: t.shape };
    this.#initializers.set(value, t);
    return value;
  }

  /** A float32 scalar; the same number is one value. */
  scalar(number: number): Value {
    let value = this.#scalars.get(number);
    if (!value) {
      value = this.initializer(`constant/${number}`, scalar(number));
      this.#scalars.set(number, value);
    }
    return value;
  }

  /** The tensor of a value that the graph holds; `undefined` for a computed or fed one. */
  constantOf(value: Value): Tensor | undefined {
    return this.#initializers.get(value);
  }

  /** Adds a node with one output and @returns it. @see addAll */
  add(op: string, inputs: readonly (Value | undefined)[], attributes: Attributes = {}, name?: string): Value {
    return this.addAll(op, inputs, attributes, name)[0];
  }

  /**
   * Adds a node.
   * @param named the name of the node and its first output; the others are `name:1`, `name:2`, … Left out, the operator's, behind the prefix.
   * @throws ShapeError that names the node, where inputs or attributes do not fit.
   */
  addAll(op: string, inputs: readonly (Value | undefined)[], attributes: Attributes = {}, named?: string): readonly Value[] {
    const name = named ?? this.#prefix + op;
    if (!Object.hasOwn(this.#ops, op)) throw new ShapeError(`node '${name}': the operator ${op} is not supported`);
    const definition = this.#ops[op];
    let types: readonly ValueType[];
    let complete: Attributes;
    try {
      complete = completed(definition, attributes);
      types = definition.infer(
        inputs.map((value) => value && { dtype: value.dtype, shape: value.shape, constant: this.constantOf(value) }),
        complete,
      );
    } catch (cause) {
      const received = inputs.map((value) => (value ? `${value.name} ${printType(value)}` : "none")).join(", ");
      throw new ShapeError(`node '${name}' (${op}): ${messageOf(cause)}; its inputs: ${received}`, { cause });
    }
    const free = this.#free(name);
    const outputs = types.map(({ dtype, shape }, i) => ({ name: i === 0 ? free : this.#free(`${free}:${i}`), dtype, shape }));
    this.#nodes.push({ op, name: free, inputs, attributes: complete, outputs });
    return outputs;
  }

  build(name: string, outputs: readonly Value[]): Graph {
    return { name, inputs: [...this.#inputs], outputs, initializers: new Map(this.#initializers), nodes: [...this.#nodes] };
  }
}

function completed(definition: OpDefinition, given: Attributes): Attributes {
  const specs = definition.attributes;
  for (const name of Object.keys(given)) if (!Object.hasOwn(specs, name)) throw new ShapeError(`it has no attribute '${name}'`);
  return Object.fromEntries(
    Object.entries(specs).map(([name, spec]) => {
      const value = given[name] ?? spec.default;
      if (value === undefined && !spec.optional) throw new ShapeError(`its attribute '${name}' is missing`);
      return [name, value];
    }),
  );
}
