import { FivecropError, UsageError } from "../core/errors.ts";
import { nearestNames } from "../core/nearest.ts";
import type { Session, SessionMaker } from "../core/session.ts";
import { rows, zeros } from "../core/tensor.ts";
import { type HeatMap, placeHeat } from "../pipeline/heat-map.ts";
import type { Image } from "../pipeline/image.ts";
import type { View } from "../pipeline/views.ts";
import { batchOf, cropsOf, inParts } from "./crops.ts";
import type { Contract, Ports } from "./model-contract.ts";

/** What is to be explained. */
export interface ExplainOptions {
  /** A class by its label or its index; the most probable one where it is left out. */
  readonly class?: string | number;
  /** The node whose map of features is looked at; the last before its pixels are pooled or flattened away where it is left out. */
  readonly layer?: string;
}

/** Which places of a picture spoke for a class: Grad-CAM, the mean over the views on the whole picture, the highest place 1. */
export interface Explanation extends HeatMap {
  readonly label: string;
  readonly classIndex: number;
  /** The name of the map of features. */
  readonly layer: string;
}

/** Explains answers of one model. */
export interface Explainer {
  /** @throws UsageError where the model has no such class. */
  check(options: ExplainOptions): void;
  /**
   * One picture after the other, so that only one lies in memory.
   * @throws FivecropError where the model has no map of features, or an operator behind it has no gradient. UsageError for a class or layer that is none.
   */
  explain(read: () => Image | Promise<Image>, views: readonly View[], best: number, options: ExplainOptions): Promise<Explanation>;
  dispose(): Promise<void>;
}

export interface ExplainerOptions {
  readonly contract: Contract;
  readonly ports: Ports;
  /** On the processor. */
  readonly createSession: SessionMaker;
  /** The most crops at once. */
  readonly batchSize: number;
  /** What an error's message calls the model. */
  readonly name: string;
}

interface Opened {
  readonly session: Session;
  readonly layer: string;
  readonly target: string;
}

/** Explains the answers of a model's file; its graph with Grad-CAM is written and loaded when it is first asked for. */
export function createExplainer(model: Uint8Array, { contract, ports, createSession, batchSize, name }: ExplainerOptions): Explainer {
  const { labels, preprocess } = contract;
  const sessions = new Map<string | undefined, Promise<Opened>>();
  let last: Promise<unknown> = Promise.resolve();
  let disposed = false;

  function classOf({ class: wanted }: ExplainOptions, best: number): number {
    if (wanted === undefined) return best;
    const index = typeof wanted === "number" ? wanted : labels.indexOf(wanted);
    if (Number.isInteger(index) && index >= 0 && index < labels.length) return index;
    if (typeof wanted === "number") throw new UsageError(`class: expected an index from 0 to ${labels.length - 1}, received ${wanted}`);
    const near = nearestNames(wanted, labels);
    const hint = near.length > 0 ? near : labels.slice(0, 3);
    throw new UsageError(
      `class: ${name} has no class '${wanted}'. ${near.length > 0 ? "The nearest are" : "It has"} ${hint.map((label) => `'${label}'`).join(", ")}${near.length > 0 ? "" : ", …"}.`,
    );
  }

  async function open(layer: string | undefined): Promise<Opened> {
    const { explainable } = await import("../export/grad-cam.ts"); // with all that reads and writes ONNX: a page loads it on demand
    const { model: bytes, ...explained } = explainable(model, { layer, name });
    return { session: await createSession(bytes, { name: `${name} with Grad-CAM` }), ...explained };
  }

  function opened(layer: string | undefined): Promise<Opened> {
    const known = sessions.get(layer) ?? open(layer);
    sessions.set(layer, known);
    known.catch(() => sessions.delete(layer));
    return known;
  }

  async function heatOf(image: Image, views: readonly View[], classIndex: number, { session, target }: Opened): Promise<HeatMap> {
    const crops = batchOf([cropsOf(image, views, preprocess)], preprocess);
    const maps = await inParts(crops, ports.fixedBatch ?? Math.min(batchSize, views.length), async (part) => {
      const [count] = part.shape;
      const chosen = zeros("float32", [count, labels.length]);
      for (let i = 0; i < count; i++) chosen.data[i * labels.length + classIndex] = 1;
      const heatMap = session.outputs[1].name;
      const { [heatMap]: heat } = await session.run({ [ports.input]: part, [target]: chosen }, [heatMap]);
      const [, height, width] = heat.shape;
      return Array.from({ length: count }, (_, i): HeatMap => ({ width, height, data: rows(heat, i, i + 1).data as Float32Array }));
    });
    if (!maps.every(({ data }) => data.every(Number.isFinite)))
      throw new FivecropError(`${name}: its Grad-CAM has values that are not numbers: its weights or this input are not finite`);
    return placeHeat(
      image,
      views.map((view, i) => ({ view, heat: maps[i] })),
      preprocess,
    );
  }

  return {
    check: (options) => void classOf(options, 0),
    explain(read, views, best, options) {
      const explained = last.then(async (): Promise<Explanation> => {
        if (disposed) throw new FivecropError(`${name}: the classifier was disposed of`);
        const classIndex = classOf(options, best);
        const at = await opened(options.layer);
        return { label: labels[classIndex], classIndex, layer: at.layer, ...(await heatOf(await read(), views, classIndex, at)) };
      });
      last = explained.catch(() => undefined);
      return explained;
    },
    async dispose() {
      disposed = true;
      await last;
      const all = await Promise.allSettled(sessions.values());
      await Promise.all(all.map((one) => (one.status === "fulfilled" ? one.value.session.dispose() : undefined)));
    },
  };
}
