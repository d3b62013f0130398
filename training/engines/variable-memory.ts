import type { Device, Named, Resident, Session, SessionMaker } from "../../core/session.ts";
import { type Tensor, zeros } from "../../core/tensor.ts";
import { serialize } from "../../export/serialize.ts";
import { graphBuilder } from "../../models/ops/index.ts";
import type { Weights } from "../engine.ts";
import type { Variable } from "../step/training-graph.ts";

/** Where a training's variables are between steps: on the device where its runtime keeps them there, else in this process's memory. */
export interface VariableMemory {
  readonly names: readonly string[];
  /** @param fixed names of those that no step changes */
  set(variables: Weights, fixed: ReadonlySet<string>): void;
  /** Runs a step: the variables are fed, and replaced by what it gives for them; what else it reads is fed by its own name. @returns what it gives for `fetches` */
  step(session: Session, feeds: Named, fetches: Named, variables: readonly Variable[]): Promise<Named>;
  /** Runs a graph that reads variables, by the name of its input. */
  run(session: Session, feeds: Named, reads: Readonly<Record<string, string>>): Promise<Named>;
  /** A copy where they are on the device. */
  read(): Promise<Weights>;
  dispose(): Promise<void>;
}

/** Empty until it is set. @param device the one that its sessions are on */
export function createVariableMemory(createSession: SessionMaker, device: Device | undefined): VariableMemory {
  let current: Record<string, Tensor<"float32"> | Resident> = {};
  let next: Record<string, Tensor<"float32">> | undefined; // written by a step, then exchanged with `current`
  let frozen: ReadonlySet<string> = new Set();
  let reader: Session | undefined;
  const onDevice = (): boolean => Object.values(current).some((value) => "resident" in value);
  const release = (): void => {
    for (const value of Object.values(current)) if ("resident" in value) value.release();
  };

  const read = ({ inputs }: Session, fed: Named): Record<string, Tensor<"float32"> | Resident> =>
    Object.fromEntries(inputs.flatMap(({ name }) => (frozen.has(name) && !Object.hasOwn(fed, name) ? [[name, current[name]]] : [])));

  async function stepHere(session: Session, feeds: Named, fetches: Named, variables: readonly Variable[]): Promise<Named> {
    const here = current as Weights;
    next ??= Object.fromEntries(Object.entries(here).map(([name, held]) => [name, frozen.has(name) ? held : zeros("float32", held.shape)]));
    const results: Record<string, Tensor> = { ...fetches };
    const given: Record<string, Tensor> = { ...feeds, ...(read(session, feeds) as Weights) };
    for (const { name, before, after } of variables) {
      given[before.name] = here[name];
      results[after.name] = next[name];
    }
    const fetched = await session.run(given, results);
    [current, next] = [next, here as Record<string, Tensor<"float32">>];
    return fetched;
  }

  /** The outputs are copied: Identity, whose result is fetched. */
  async function readFromDevice(): Promise<Weights> {
    const g = graphBuilder();
    const entries = Object.entries(current);
    const inputs = entries.map(([, { shape }], i) => g.input(`v${i}`, "float32", shape));
    const outputs = inputs.map((value) => g.add("Identity", [value]));
    reader ??= await createSession(serialize(g.build("variables", outputs)), { name: "the variables", device });
    const feeds = Object.fromEntries(entries.map(([, value], i) => [inputs[i].name, value]));
    const { results } = await reader.runOnDevice!(
      feeds,
      outputs.map(({ name }) => name),
    );
    return Object.fromEntries(entries.map(([name], i) => [name, results[outputs[i].name] as Tensor<"float32">]));
  }

  return {
    get names() {
      return Object.keys(current);
    },
    set(variables, fixed) {
      release();
      current = { ...variables };
      frozen = fixed;
      next = undefined;
    },
    async step(session, feeds, fetches, variables) {
      if (!session.runOnDevice) return stepHere(session, feeds, fetches, variables);
      const fed = Object.fromEntries(variables.map(({ name, before }) => [before.name, current[name]]));
      const { results, kept } = await session.runOnDevice({ ...feeds, ...read(session, feeds), ...fed }, Object.keys(fetches));
      for (const { name, after } of variables) {
        const before = current[name];
        if ("resident" in before) before.release();
        current[name] = kept[after.name];
      }
      return results;
    },
    async run(session, feeds, reads) {
      const fed = Object.fromEntries(Object.entries(reads).map(([input, name]) => [input, current[name]]));
      if (!session.runOnDevice) return session.run({ ...feeds, ...(fed as Weights) });
      const outputs = session.outputs.map(({ name }) => name);
      return (await session.runOnDevice({ ...feeds, ...fed }, outputs)).results;
    },
    read: async () => (onDevice() ? readFromDevice() : (current as Weights)),
    async dispose() {
      release();
      current = {};
      await reader?.dispose();
      reader = undefined;
    },
  };
}
