import { FivecropError, messageOf } from "../core/errors.ts";
import type { GraphBuilder } from "../models/graph/builder.ts";
import type { Value } from "../models/graph/graph.ts";
import { type Known, knownOf, tensorOf } from "./known.ts";

/** The values by the file's names. The builder may have given others while the graph grew: `names` sets that right. */
export interface Symbols {
  readonly names: ReadonlyMap<Value, string>;
  define(name: string, value: Value): void;
  /** What is known of it before anything runs, in place of a value of the graph; it becomes a constant where a node reads it that runs. */
  defineKnown(name: string, known: Known | Value): void;
  /** @throws FivecropError where nothing before computes it, or it depends on the batch and cannot be a constant. */
  find(name: string, reader: string): Value;
  /** The value of the graph, where it is one already. */
  held(name: string): Value | undefined;
  /** @returns undefined where it is only known when the graph runs. */
  knownOf(name: string): Known | undefined;
}

/** @param file what an error's message calls the model. */
export function createSymbols(g: GraphBuilder, file: string): Symbols {
  const values = new Map<string, Value>();
  const folded = new Map<string, Known>();
  const names = new Map<Value, string>();
  const isNew = (name: string): void => {
    if (values.has(name) || folded.has(name)) throw new FivecropError(`${file}: two values have the name '${name}'`);
  };
  const define = (name: string, value: Value): void => {
    isNew(name);
    values.set(name, value);
    if (!names.has(value)) names.set(value, name); // another name of the same value: an Identity of a constant
  };
  return {
    names,
    define,
    defineKnown(name, known) {
      if ("name" in known) return define(name, known);
      isNew(name);
      folded.set(name, known);
    },
    find(name, reader) {
      const value = values.get(name);
      if (value) return value;
      const known = folded.get(name);
      if (!known) throw new FivecropError(`${file}: ${reader} reads '${name}', which nothing before it computes`);
      try {
        const held = g.initializer(name, tensorOf(known));
        values.set(name, held);
        names.set(held, name);
        return held;
      } catch (cause) {
        throw new FivecropError(`${file}: ${reader} reads '${name}': ${messageOf(cause)}`, { cause });
      }
    },
    held: (name) => values.get(name),
    knownOf(name) {
      const found = folded.get(name);
      if (found) return found;
      const value = values.get(name);
      const constant = value && g.constantOf(value);
      return constant && knownOf(constant);
    },
  };
}
