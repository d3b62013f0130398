import { FivecropError } from "../core/errors.ts";
import { random } from "../core/random.ts";
import type { Device } from "../core/session.ts";
import { float32, sizeOf, zeros } from "../core/tensor.ts";
import { knownShape } from "../models/graph/graph.ts";
import { classCount, type Network } from "../models/network.ts";
import type { StepInput, TrainingEngine, TrainingState, Weights } from "./engine.ts";
import { type InTime, within } from "./within.ts";

/** What a device's step was found to give before it trains, beside the processor's from the same weights and images. */
export interface TrainingDeviceCheck {
  readonly device: Device;
  readonly against: Device;
  readonly images: number;
  /** Of the two losses, relative. */
  readonly loss: number;
  /** ‖a − b‖ / ‖b − before‖ of the variable whose change differs most. */
  readonly variable: number;
  readonly name: string;
  /** Seconds of a second step. */
  readonly seconds: { readonly device: number; readonly processor: number };
}

export interface CheckTrainingDeviceOptions {
  readonly device: Device;
  readonly processor: Device;
  /** Of the batch that both compute. */
  readonly images: number;
  /** A new engine on a device: the run's network, optimizer and average. It is disposed of. */
  readonly engineOn: (device: Device) => TrainingEngine;
  /** How long the device has for its steps; as long as they take where it is left out. */
  readonly seconds?: number;
}

/** Others sum in another order, and some in 19-bit products (TF32); a wrong kernel is off by as much as its result. */
const LARGEST = { loss: 5e-3, variable: 0.05, together: 0.2 } as const;

/**
 * Trains one step on the device and on the processor, from the same weights, on the same images of noise, and compares the loss and every variable after it.
 * @throws FivecropError with the numbers, where they differ.
 */
export async function checkTrainingDevice({
  device,
  processor,
  images,
  engineOn,
  seconds: patience,
}: CheckTrainingDeviceOptions): Promise<TrainingDeviceCheck> {
  const onDevice = (inTime?: InTime): Promise<Stepped> => stepOn(engineOn(device), images, inTime);
  const found = await (patience === undefined ? onDevice() : within(patience, onDevice)); // first, since it may not be there
  const wanted = await stepOn(engineOn(processor), images);
  const loss = Math.abs(found.loss - wanted.loss) / Math.abs(wanted.loss);
  const [worst, limit] = largestDifference(wanted, found);
  const seconds = { device: found.seconds, processor: wanted.seconds };
  if (!(loss <= LARGEST.loss && worst.difference <= limit))
    throw new FivecropError(
      `${device} is not used, its training step is wrong: on ${images} images its loss is ${found.loss.toPrecision(6)}, the loss of ${processor} ${wanted.loss.toPrecision(6)}; ` +
        `the change of '${worst.name}' differs by ${(100 * worst.difference).toPrecision(3)} % of it, expected at most ${100 * limit} %. To fix: update the graphics driver, or choose the device ${processor}.`,
    );
  return { device, against: processor, images, loss, variable: worst.difference, name: worst.name, seconds };
}

interface Stepped {
  readonly loss: number;
  readonly before: TrainingState;
  readonly after: TrainingState;
  readonly seconds: number;
}

/** A large rate, so that the weights' own digits do not drown their change. */
const RATE = 1;

/** Whether a device trains a batch of this shape: one step on images of noise. @param images [N, C, H, W] */
export async function stepOfNoise(engine: TrainingEngine, images: readonly number[]): Promise<void> {
  try {
    await engine.initialize({ seed: 0 });
    await engine.train([noiseFor(engine.network, images)], [RATE]);
  } finally {
    await engine.dispose();
  }
}

async function stepOn(engine: TrainingEngine, count: number, inTime: InTime = () => undefined): Promise<Stepped> {
  try {
    const [input] = engine.network.graph.inputs;
    const batch = noiseFor(engine.network, [count, ...knownShape({ ...input, shape: input.shape.slice(1) })]);
    await engine.initialize({ seed: 0 });
    const before = await engine.state();
    const [{ loss }] = await engine.train([batch], [RATE]);
    inTime();
    const after = await engine.state();
    await engine.initialize(before);
    const started = performance.now();
    await engine.train([batch], [RATE]);
    return { loss, before, after, seconds: (performance.now() - started) / 1e3 };
  } finally {
    await engine.dispose();
  }
}

function noiseFor(network: Network, shape: readonly number[]): StepInput {
  const [count] = shape;
  const { normal } = random(0).fork("device check");
  const classes = classCount(network);
  const targets = zeros("float32", [count, classes]);
  for (let i = 0; i < count; i++) targets.data[i * classes + (i % classes)] = 1;
  return { images: float32(Float32Array.from({ length: sizeOf(shape) }, normal), shape), targets };
}

interface Difference {
  readonly name: string;
  readonly difference: number;
}

/**
 * Of the variables whose change is linear in the gradients, each alone; a rule such as Adam's makes a whole step of a gradient that is only rounding, so
 * that its parameters, and their averages, are compared together.
 * @returns the difference that is nearest to, or furthest beyond, what it may be, and that
 */
function largestDifference(wanted: Stepped, found: Stepped): readonly [Difference, number] {
  const [before, after, other] = [wanted.before, wanted.after, found.after];
  const linear = Object.keys(after.slots).length === 0;
  const each = (role: "parameters" | "slots" | "state"): Difference[] =>
    differences(before[role], after[role], other[role]).map(({ name, change, distance }) => ({
      name,
      difference: share(distance, change),
    }));
  const together = (role: "parameters" | "average", name: string): Difference => {
    const all = differences(before[role] ?? {}, after[role] ?? {}, other[role] ?? {});
    const total = (key: "change" | "distance") => Math.hypot(...all.map((one) => one[key]));
    return { name, difference: share(total("distance"), total("change")) };
  };
  const alone = [...each("slots"), ...each("state"), ...(linear ? each("parameters") : [])];
  const whole = [...(linear ? [] : [together("parameters", "all parameters")]), together("average", "the average of the weights")];
  const judged: (readonly [Difference, number])[] = [
    ...alone.map((one) => [one, LARGEST.variable] as const),
    ...whole.map((one) => [one, LARGEST.together] as const),
  ];
  const excess = ([{ difference }, limit]: readonly [Difference, number]): number =>
    Number.isNaN(difference) ? Infinity : difference / limit;
  return judged.reduce((worst, one) => (excess(one) > excess(worst) ? one : worst));
}

/** What no step changes, such as the statistics of frozen norms, is to stay as it is, to the bit. */
const share = (distance: number, change: number): number => (distance === 0 ? 0 : distance / change);

/** A change below this share of the usual change of a number is rounding, and counts as that share. */
const ROUNDING = 1e-3;

function differences(before: Weights, after: Weights, other: Weights) {
  const norms = Object.keys(after).map((name) => ({
    name,
    size: after[name].data.length,
    change: distanceOf(after[name].data, before[name].data),
    distance: distanceOf(other[name].data, after[name].data),
  }));
  const usual = Math.max(...norms.map(({ change, size }) => change / Math.sqrt(size)), 0);
  return norms.map(({ name, size, change, distance }) => ({
    name,
    distance,
    change: Math.max(change, ROUNDING * usual * Math.sqrt(size)),
  }));
}

/** ‖a − b‖ */
const distanceOf = (a: Float32Array, b: Float32Array): number => Math.sqrt(a.reduce((sum, value, i) => sum + (value - b[i]) ** 2, 0));
