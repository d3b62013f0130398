import type { Device, Session, SessionMaker } from "../../core/session.ts";
import { numbersOf, rows, scalar, type Tensor, zeros } from "../../core/tensor.ts";
import { serialize } from "../../export/serialize.ts";
import { knownShape } from "../../models/graph/graph.ts";
import { type Network, networkForSize } from "../../models/network.ts";
import type { StepInput, StepResult, TrainingEngine } from "../engine.ts";
import type { Optimizer } from "../optimizers.ts";
import { writtenInPlace } from "../step/in-place.ts";
import { compileForward, LOGITS, LOSS, lowerStep, writeStep } from "../step/index.ts";
import type { TrainingGraph } from "../step/training-graph.ts";
import { rateNames } from "../step/update.ts";
import { averageFactorsAt, averageName, checkAverage, type WeightAverage } from "../weight-average.ts";
import { ofImages } from "./of-images.ts";
import { createVariableMemory } from "./variable-memory.ts";
import { fixedVariables, groupVariables, noiseAt, padBatch, startOf } from "./variables.ts";

export interface OnnxRuntimeEngineOptions {
  readonly network: Network;
  readonly optimizer: Optimizer;
  /** Keeps a moving average of the weights, which then predicts. */
  readonly average?: WeightAverage;
  readonly createSession: SessionMaker;
  /** What it is asked to compute on, and the step is written for; the processor where it is left out. */
  readonly device?: Device;
  /** The processor's threads inside an operator; the runtime's choice where it is left out. */
  readonly threads?: number;
}

interface Step {
  readonly step: TrainingGraph;
  readonly inPlace: ReadonlySet<string>;
  readonly session: Session;
}

/** At most this many shapes of batches have a session at a time: the full batch's and the last, smaller batch's. */
const MOST_SESSIONS = 2;

/** Runs the training-step graph in ONNX Runtime: one `run` is forward, loss, gradients and update. */
export function createOnnxRuntimeEngine(options: OnnxRuntimeEngineOptions): TrainingEngine {
  const { network, optimizer, average, createSession, device, threads } = options;
  const memory = createVariableMemory(createSession, device);
  if (average) checkAverage(average);
  const steps = new Map<string, Step>();
  const written = new Map<string, TrainingGraph>(); // neither lowered nor in a session yet
  let forward: { readonly batch: number; readonly session: Session } | undefined;
  let seed = 0;
  let done = 0;

  const write = ([batch, channels, height, width]: readonly number[]): TrainingGraph =>
    writeStep(networkForSize(network, [channels, height, width]), batch, optimizer, { average, device });

  async function stepFor(shape: readonly number[]): Promise<Step> {
    const key = String(shape);
    const known = steps.get(key);
    steps.delete(key);
    if (known) {
      steps.set(key, known); // the latest, since it now holds the variables on the device
      return known;
    }
    const step = lowerStep(written.get(key) ?? write(shape), device);
    written.delete(key);
    if (steps.size === MOST_SESSIONS) {
      const [oldest, unused] = [...steps][0]; // not used last
      steps.delete(oldest);
      await unused.session.dispose();
    }
    const keep = step.variables.map(({ after }) => after.name);
    const session = await createSession(serialize(step.graph), { name: "the training step", device, threads, keep, intoTensors: true });
    const made = { step, inPlace: writtenInPlace(step), session };
    steps.set(key, made);
    return made;
  }

  async function forwardFor(batch: number): Promise<Session> {
    if (forward?.batch === batch) return forward.session;
    await forward?.session.dispose();
    forward = undefined;
    const graph = compileForward(network, batch, memory.names, device);
    forward = { batch, session: await createSession(serialize(graph), { name: "the network", device, threads }) };
    return forward.session;
  }

  async function trainOne({ images, targets }: StepInput, learningRate: number): Promise<StepResult> {
    const { step, inPlace, session } = await stepFor(images.shape);
    const rates = [learningRate, ...optimizer.factorsAt(done + 1), ...(average ? averageFactorsAt(average, done + 1) : [])];
    const feeds: Record<string, Tensor> = { images, targets };
    rateNames(optimizer, average).forEach((name, i) => {
      feeds[name] = scalar(rates[i]);
    });
    for (const { node, value } of step.noise) feeds[value.name] = noiseAt(seed, done, node, knownShape(value));
    const [loss, logits] = [LOSS, LOGITS].map((at) => step.graph.outputs[at]);
    const results = { [loss.name]: zeros("float32", []), [logits.name]: zeros("float32", knownShape(logits)) };
    const fetched = await memory.step(session, feeds, results, { variables: step.variables, inPlace });
    done++;
    return { loss: numbersOf(fetched[loss.name])[0], logits: fetched[logits.name] as Tensor<"float32"> };
  }

  async function predict(images: Tensor<"float32">): Promise<Tensor<"float32">> {
    const count = images.shape[0];
    const batch = forward && forward.batch >= count ? forward.batch : count;
    const session = await forwardFor(batch);
    const full = count === batch ? images : padBatch(images, batch);
    const known = new Set(memory.names);
    const variables = session.inputs.filter(({ name }) => name !== "images");
    const reads = variables.map(({ name }) => [name, known.has(averageName(name)) ? averageName(name) : name] as const);
    const [logits] = Object.values(await memory.run(session, { images: full }, Object.fromEntries(reads))) as Tensor<"float32">[];
    return rows(logits, 0, count);
  }

  return {
    name: "onnxruntime",
    network,
    optimizer,
    average,
    async initialize(from) {
      const start = startOf(options, from);
      await memory.set(start.variables, fixedVariables(network));
      seed = start.seed;
      done = start.step;
    },
    prepare(shapes) {
      for (const shape of shapes) {
        const key = String(shape);
        if (!steps.has(key) && !written.has(key)) written.set(key, write(shape));
      }
    },
    async train(batches, learningRates) {
      const results: StepResult[] = [];
      for (const [i, batch] of batches.entries()) results.push(await ofImages(batch.images.shape, () => trainOne(batch, learningRates[i])));
      return results;
    },
    predict: (images) => ofImages(images.shape, () => predict(images)),
    async state() {
      return { step: done, seed, ...groupVariables(options, await memory.read()) };
    },
    async dispose() {
      await memory.dispose();
      for (const { session } of steps.values()) await session.dispose();
      await forward?.session.dispose();
      steps.clear();
      written.clear();
      forward = undefined;
    },
  };
}
