import type { Tensor } from "../../core/tensor.ts";
import type { GraphBuilder } from "./builder.ts";
import type { Attribute, Attributes, Value, ValueType } from "./graph.ts";

/** Shapes may depend on an input's value (Reshape, Slice, Pad): `constant` holds it where it is known. */
export interface Operand extends ValueType {
  readonly constant?: Tensor;
}

/** What an attribute is in an ONNX file, and its value where a node does not give one. Without a default it is required. */
export interface AttributeSpec {
  readonly type: "int" | "float" | "ints" | "string" | "tensor";
  readonly default?: Attribute;
  /** The attribute may be left out and then has no value: the operator's own rule applies. */
  readonly optional?: true;
}

export const int = (value?: number): AttributeSpec => ({ type: "int", default: value });
export const float = (value?: number): AttributeSpec => ({ type: "float", default: value });
export const ints = (value?: readonly number[]): AttributeSpec => ({ type: "ints", default: value });
export const text = (value?: string): AttributeSpec => ({ type: "string", default: value });
export const optionalInts: AttributeSpec = { type: "ints", optional: true };

/** One node whose gradient is wanted. */
export interface GradientSite<A extends Attributes> {
  readonly inputs: readonly Value[];
  readonly outputs: readonly Value[];
  readonly attributes: A;
  /** dL/d(output i); `undefined` where the loss does not depend on it. At least one is there. */
  readonly gradients: readonly (Value | undefined)[];
}

/** Everything the project knows about one operator. */
export interface OpDefinition<A extends Attributes = Attributes> {
  /** One sentence and the formula. */
  readonly summary: string;
  /** The opset that introduced the form written here; `undefined` for the project's own operators, which are lowered before they run. */
  readonly sinceOpset: number | undefined;
  readonly attributes: { readonly [K in keyof A]-?: AttributeSpec };
  /** @returns the outputs' types. @throws ShapeError where inputs or attributes do not fit. */
  infer(inputs: readonly (Operand | undefined)[], attributes: A): readonly ValueType[];
  /** Adds the nodes that compute dL/d(input i); `undefined` where an input has none. Absent for forward-only operators. */
  gradient?(g: GraphBuilder, site: GradientSite<A>): readonly (Value | undefined)[];
}

export type OpTable = Readonly<Record<string, OpDefinition>>;
