import { FivecropError } from "../../core/errors.ts";
import type { Device } from "../../core/session.ts";
import { float32, numbersOf } from "../../core/tensor.ts";
import { serialize } from "../../export/serialize.ts";
import { graphBuilder } from "../../models/ops/index.ts";
import { loadTfjs, TFJS_PACKAGES, type TfjsPackage } from "../engines/tfjs-package.node.ts";
import { tryBrowser } from "./browser-probe.node.ts";
import { type OpenAdapter, openAdapter } from "./cards.node.ts";

const A = [1, 2, 3, 4];
const B = [5, 6, 7, 8];
const PRODUCT = [19, 22, 43, 50];

function needProduct(found: readonly number[]): void {
  if (String(found) !== String(PRODUCT))
    throw new FivecropError(`it computes wrongly: [1 2; 3 4] · [5 6; 7 8] is [19 22; 43 50], found [${found}]`);
}

/** What a trial that works has found. */
export interface Found {
  readonly detail: string;
  /** Of TensorFlow.js: it computes on a graphics card. */
  readonly card?: boolean;
  /** Of WebGPU, on Linux. */
  readonly adapter?: OpenAdapter;
}

/** A product of two matrices. */
const onnxRuntime = (device: Device) => async (): Promise<Found> => {
  const g = graphBuilder();
  const product = g.add("MatMul", [g.input("a", "float32", [2, 2]), g.input("b", "float32", [2, 2])]);
  const { createSession, RUNTIME_VERSION } = await import("../../core/session.node.ts"); // it may be this that does not load
  const session = await createSession(serialize(g.build("product", [product])), { device, name: "a product of two matrices" });
  const { [product.name]: found } = await session.run({ a: float32(A, [2, 2]), b: float32(B, [2, 2]) });
  const adapter = device === "webgpu" ? await openAdapter() : undefined;
  await session.dispose();
  needProduct(numbersOf(found));
  return { detail: `onnxruntime-node ${RUNTIME_VERSION}`, ...(adapter && { adapter }) };
};

/** A package of TensorFlow.js, as the engine tfjs finds and loads it. */
const tensorFlow = (packageName: TfjsPackage) => async (): Promise<Found> => {
  const { tf, version, gpu: card } = loadTfjs({ packageName });
  await tf.ready();
  const product = tf.matMul(tf.tensor2d(A, [2, 2]), tf.tensor2d(B, [2, 2]));
  needProduct(Array.from(await product.data()));
  const where = card ? ", on the graphics card" : ", on the processor, since it found no graphics card";
  return { detail: `version ${version}${packageName === TFJS_PACKAGES[0] ? where : ""}`, card };
};

/** A picture there and back. */
async function picture(): Promise<Found> {
  const { default: sharp } = await import("sharp");
  const png = await sharp({ create: { width: 2, height: 2, channels: 3, background: "#204060" } })
    .png()
    .toBuffer();
  const { data, info } = await sharp(png).raw().toBuffer({ resolveWithObject: true });
  if (info.width !== 2 || data[2] !== 0x60)
    throw new FivecropError(`it decodes wrongly: expected [32, 64, 96], found [${[...data.subarray(0, 3)]}]`);
  return { detail: `sharp ${sharp.versions.sharp}, libvips ${sharp.versions.vips}` };
}

/** What can be tried: each gives what it found, or throws why it does not work. */
export const PROBES = {
  cpu: onnxRuntime("cpu"),
  webgpu: onnxRuntime("webgpu"),
  cuda: onnxRuntime("cuda"),
  "@tensorflow/tfjs-node-gpu": tensorFlow("@tensorflow/tfjs-node-gpu"),
  "@tensorflow/tfjs-node": tensorFlow("@tensorflow/tfjs-node"),
  "@tensorflow/tfjs": tensorFlow("@tensorflow/tfjs"),
  sharp: picture,
  browser: async () => ({ detail: await tryBrowser() }),
} as const satisfies Readonly<Record<string, () => Promise<Found>>>;

export type ProbeName = keyof typeof PROBES;
