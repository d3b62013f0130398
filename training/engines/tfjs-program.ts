import { FivecropError } from "../../core/errors.ts";
import { numbersOf, type Tensor } from "../../core/tensor.ts";
import { type Graph, knownShape, type Node, type Value } from "../../models/graph/graph.ts";
import { printNode } from "../../models/graph/print.ts";
import {
  type Kernel,
  type Layout,
  ORDER,
  type Placement,
  type Run,
  type Site,
  type Tf,
  type TfTensor,
  type TrainingStep,
} from "./tfjs-kernel.ts";
import { KERNELS } from "./tfjs-kernels.ts";
import { relay, upload } from "./tfjs-layout.ts";

/** A forward graph as calls of tensorflow. */
export interface Program {
  /** @param images [N, C, H, W] @param variables by name, in the layouts of `layoutsOf` @returns the logits. */
  run(images: TfTensor, variables: ReadonlyMap<string, TfTensor>, step?: TrainingStep): TfTensor;
  dispose(): void;
}

interface Call {
  readonly run: Run;
  readonly inputs: readonly (number | undefined)[];
  readonly outputs: readonly number[];
}

const standard = (node: Node): Placement => ({ inputs: node.inputs.map(() => "standard"), output: "standard" });

const kernelOf = (node: Node): Kernel => KERNELS[node.op as keyof typeof KERNELS];

/** The layout that variables are kept in: that which all nodes want that read them, else the graph's own. */
export function layoutsOf(graph: Graph): ReadonlyMap<string, Layout> {
  const wanted = new Map<string, Set<Layout>>();
  for (const node of graph.nodes) {
    const { inputs } = kernelOf(node).place?.(node, "channels last") ?? standard(node);
    node.inputs.forEach((value, i) => {
      if (!value) return;
      if (!wanted.has(value.name)) wanted.set(value.name, new Set());
      wanted.get(value.name)!.add(inputs[i] === "filters" ? "filters" : "standard");
    });
  }
  return new Map([...wanted].map(([name, layouts]) => [name, layouts.size === 1 ? [...layouts][0] : "standard"]));
}

type Constants = ReadonlyMap<Value, Tensor>;

function siteOf(tf: Tf, constants: Constants, node: Node, { inputs: [layout = "standard"] }: Placement, training: boolean): Site {
  const refuse = (why: string): never => {
    throw new FivecropError(
      `node '${node.name}' (${node.op}) cannot be computed by the tfjs engine: ${why}. The node: ${printNode(node)}. To fix: train with the engine onnxruntime.`,
    );
  };
  const order: readonly number[] = node.inputs[0]?.shape.length === 4 ? ORDER[layout] : (node.inputs[0]?.shape.map((_, i) => i) ?? []);
  return {
    tf,
    node,
    layout,
    training,
    refuse,
    shape: (i) => knownShape(node.inputs[i]!),
    output: knownShape(node.outputs[0]),
    numbers(i) {
      const value = node.inputs[i];
      if (!value) return undefined;
      const constant = constants.get(value);
      return constant ? numbersOf(constant) : refuse(`its input '${value.name}' is computed at run time`);
    },
    axis: (axis) => order.indexOf(axis < 0 ? axis + order.length : axis),
    inOrder: (perAxis) => order.map((axis) => perAxis[axis]),
  };
}

/**
 * Decides, once for all steps, in which layout every node computes and where tensors change theirs: an image is transposed where a kernel needs it in
 * another layout than it is there in, at most once, and a constant before the first step.
 * @param graph with all shapes known
 * @param variables the layouts of what is not held by the graph, by name
 * @throws FivecropError that names the node that tensorflow does not compute.
 */
export function compileProgram(tf: Tf, graph: Graph, variables: ReadonlyMap<string, Layout>, training: boolean): Program {
  const [images] = graph.inputs;
  const slots = new Map<Value, Map<Layout, number>>();
  const calls: Call[] = [];
  const constants: Constants = new Map([...graph.initializers].filter(([value]) => !variables.has(value.name)));
  const uploaded = new Map<number, TfTensor>();
  const read = new Map<string, number>(); // variables
  let count = 0;
  const slotOf = (value: Value, layout: Layout): number => {
    const at = slots.get(value) ?? new Map<Layout, number>();
    slots.set(value, at);
    if (!at.has(layout)) at.set(layout, count++);
    return at.get(layout)!;
  };
  const imageSlot = slotOf(images, "standard");

  /** Where a value lies in a layout: made from another one where it is not yet. */
  const fetch = (value: Value, layout: Layout): number => {
    const wanted = value.shape.length === 0 ? "standard" : layout;
    const known = slots.get(value);
    if (known?.has(wanted)) return known.get(wanted)!;
    const constant = constants.get(value);
    if (!known && variables.has(value.name)) {
      const slot = slotOf(value, variables.get(value.name)!);
      read.set(value.name, slot);
      return fetch(value, wanted);
    }
    if (constant) {
      const slot = slotOf(value, wanted);
      const t = tf.tidy(() => relay(tf, upload(tf, constant), "standard", wanted));
      uploaded.set(slot, tf.keep(t));
      return slot;
    }
    const [from, source] = [...known!][0];
    const slot = slotOf(value, wanted);
    calls.push({ run: ([t]) => relay(tf, t, from, wanted), inputs: [source], outputs: [slot] });
    return slot;
  };

  const follows = (node: Node): Layout =>
    node.inputs.some((value) => value?.shape.length === 4 && !graph.initializers.has(value) && slots.get(value)?.has("channels last"))
      ? "channels last"
      : "standard";
  for (const node of graph.nodes) {
    const kernel = kernelOf(node);
    const place = kernel.place?.(node, follows(node)) ?? standard(node);
    const site = siteOf(tf, constants, node, place, training);
    const run = kernel.make(site);
    const inputs = node.inputs.map((value, i) => (value ? fetch(value, place.inputs[i]) : undefined));
    calls.push({ run, inputs, outputs: node.outputs.map((value) => slotOf(value, value.shape.length === 4 ? place.output : "standard")) });
  }
  const logits = fetch(graph.outputs[0], "standard");

  return {
    run(x, weights, step) {
      const tensors = Array<TfTensor>(count);
      tensors[imageSlot] = x;
      for (const [slot, t] of uploaded) tensors[slot] = t;
      for (const [name, slot] of read) tensors[slot] = weights.get(name)!;
      for (const { run, inputs, outputs } of calls) {
        const result = run(
          inputs.map((slot) => (slot === undefined ? (undefined as unknown as TfTensor) : tensors[slot])),
          step,
        );
        (Array.isArray(result) ? result : [result]).forEach((t, i) => {
          tensors[outputs[i]] = t;
        });
      }
      return tensors[logits];
    },
    dispose: () => tf.dispose([...uploaded.values()]),
  };
}
