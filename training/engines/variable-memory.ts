import { FivecropError } from "../../core/errors.ts";
import type { Device, Named, Resident, Session, SessionMaker } from "../../core/session.ts";
import { type Tensor, zeros } from "../../core/tensor.ts";
import { serialize } from "../../export/serialize.ts";
import { graphBuilder } from "../../models/ops/index.ts";
import type { Weights } from "../engine.ts";
import type { Variable } from "../step/training-graph.ts";

/** What a step does with variables. */
export interface ResidentStep {
  readonly variables: readonly Variable[];
  /** Names of those whose next value is written where they lie, in this process's memory. @see writtenInPlace */
  readonly inPlace: ReadonlySet<string>;
}

/** Where a training's variables are between steps: on the device where its runtime keeps them there, else in this process's memory. */
export interface VariableMemory {
  readonly names: readonly string[];
  /** @param fixed names of those that no step changes */
  set(variables: Weights, fixed: ReadonlySet<string>): Promise<void>;
  /**
   * Runs a step: the variables are fed, and replaced by what it gives for them; what else it reads is fed by its own name.
   * @returns what it gives for `fetches`
   * @throws what the session says. Where some are written in place they are of no step then: the memory has to be set again.
   */
  step(session: Session, feeds: Named, fetches: Named, step: ResidentStep): Promise<Named>;
  /** Runs a graph that reads variables, by the name of its input. */
  run(session: Session, feeds: Named, reads: Readonly<Record<string, string>>): Promise<Named>;
  /** A copy where they are on the device, else the memory itself, which the next step writes into. */
  read(): Promise<Weights>;
  dispose(): Promise<void>;
}

/** Empty until it is set. @param device the one that its sessions are on */
export function createVariableMemory(createSession: SessionMaker, device: Device | undefined): VariableMemory {
  let current: Record<string, Tensor<"float32"> | Resident> = {};
  const spare = new Map<string, Tensor<"float32">>(); // written by a step, then exchanged with what `current` has
  let isTorn = false; // a step failed that writes in place
  let frozen: ReadonlySet<string> = new Set();
  let reader: Session | undefined;
  let writers: readonly Session[] = []; // each is held as long as what it left on the device: the runtime crashes on memory of a session that is gone
  const onDevice = (): boolean => Object.values(current).some((value) => "resident" in value);
  const release = async (): Promise<void> => {
    for (const value of Object.values(current)) if ("resident" in value) value.release();
    const unused = writers;
    [current, writers] = [{}, []];
    for (const writer of unused) await writer.dispose();
  };

  const frozenIn = ({ inputs }: Session, fed: Named): string[] =>
    inputs.flatMap(({ name }) => (frozen.has(name) && !Object.hasOwn(fed, name) ? [name] : []));
  const held = (names: readonly string[]): Record<string, Tensor<"float32"> | Resident> =>
    Object.fromEntries(names.map((name) => [name, current[name]]));

  async function stepHere(session: Session, feeds: Named, fetches: Named, { variables, inPlace }: ResidentStep): Promise<Named> {
    const here = current as Record<string, Tensor<"float32">>;
    const results: Record<string, Tensor> = { ...fetches };
    const given: Record<string, Tensor> = { ...feeds, ...(held(frozenIn(session, feeds)) as Weights) };
    const written = variables.map(({ name, before, after }) => {
      const now = here[name];
      const next = inPlace.has(name) ? now : (spare.get(name) ?? zeros("float32", now.shape));
      given[before.name] = now;
      results[after.name] = next;
      return { name, now, next };
    });
    let fetched: Named;
    try {
      fetched = await session.run(given, results);
    } catch (error) {
      isTorn = inPlace.size > 0;
      throw error;
    }
    for (const { name, now, next } of written) {
      here[name] = next;
      if (next !== now) spare.set(name, now);
    }
    return fetched;
  }

  /** @throws FivecropError where a step failed after it may have begun to write. */
  function needWhole(): void {
    if (!isTorn) return;
    throw new FivecropError(
      "the training's variables are of no step any more: the last step failed while it wrote them. To fix: initialize the engine again, from a checkpoint.",
    );
  }

  /** Identity of each: copies. */
  function copies(names: readonly string[]) {
    const g = graphBuilder();
    const inputs = names.map((name, i) => g.input(`v${i}`, "float32", current[name].shape));
    const outputs = inputs.map((value) => g.add("Identity", [value]));
    const feeds = Object.fromEntries(names.map((name, i) => [inputs[i].name, current[name]]));
    return { model: serialize(g.build("variables", outputs)), feeds, outputs: outputs.map(({ name }) => name) };
  }

  async function readFromDevice(): Promise<Weights> {
    const names = Object.keys(current);
    const { model, feeds, outputs } = copies(names);
    reader ??= await createSession(model, { name: "the variables", device });
    const { results } = await reader.runOnDevice!(feeds, outputs);
    return Object.fromEntries(names.map((name, i) => [name, results[outputs[i]] as Tensor<"float32">]));
  }

  /** Those that would be copied there at each run, since none replaces them. */
  async function toDevice(wanted: readonly string[]): Promise<void> {
    const names = [...new Set(wanted)].filter((name) => !("resident" in current[name]));
    if (names.length === 0) return;
    const { model, feeds, outputs } = copies(names);
    const writer = await createSession(model, { name: "the variables", device, keep: outputs });
    writers = [...writers, writer];
    const { kept } = await writer.runOnDevice!(feeds, []);
    names.forEach((name, i) => {
      current[name] = kept[outputs[i]];
    });
  }

  return {
    get names() {
      return Object.keys(current);
    },
    async set(variables, fixed) {
      await release();
      current = { ...variables };
      frozen = fixed;
      spare.clear();
      isTorn = false;
    },
    async step(session, feeds, fetches, step) {
      needWhole();
      if (!session.runOnDevice) return stepHere(session, feeds, fetches, step);
      const { variables } = step;
      const fixed = frozenIn(session, feeds);
      await toDevice(fixed);
      const fed = Object.fromEntries(variables.map(({ name, before }) => [before.name, current[name]]));
      const { results, kept } = await session.runOnDevice({ ...feeds, ...held(fixed), ...fed }, Object.keys(fetches));
      for (const { name, after } of variables) {
        const before = current[name];
        if ("resident" in before) before.release();
        current[name] = kept[after.name];
      }
      return results;
    },
    async run(session, feeds, reads) {
      needWhole();
      if (session.runOnDevice) await toDevice(Object.values(reads));
      const fed = Object.fromEntries(Object.entries(reads).map(([input, name]) => [input, current[name]]));
      if (!session.runOnDevice) return session.run({ ...feeds, ...(fed as Weights) });
      const outputs = session.outputs.map(({ name }) => name);
      return (await session.runOnDevice({ ...feeds, ...fed }, outputs)).results;
    },
    async read() {
      needWhole();
      return onDevice() ? readFromDevice() : (current as Weights);
    },
    async dispose() {
      await release();
      spare.clear();
      await reader?.dispose();
      reader = undefined;
    },
  };
}
