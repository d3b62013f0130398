import { createRequire } from "node:module";
import { join } from "node:path";
import { FivecropError } from "../../core/errors.ts";
import type { Device } from "../../core/session.ts";
import { float32, numbersOf } from "../../core/tensor.ts";
import { serialize } from "../../export/serialize.ts";
import { graphBuilder } from "../../models/ops/index.ts";
import { tryBrowser } from "./browser-probe.node.ts";

const A = [1, 2, 3, 4];
const B = [5, 6, 7, 8];
const PRODUCT = [19, 22, 43, 50];

function needProduct(found: readonly number[]): void {
  if (String(found) !== String(PRODUCT))
    throw new FivecropError(`it computes wrongly: [1 2; 3 4] · [5 6; 7 8] is [19 22; 43 50], found [${found}]`);
}

/** A product of two matrices. */
const onnxRuntime = (device: Device) => async (): Promise<string> => {
  const g = graphBuilder();
  const product = g.add("MatMul", [g.input("a", "float32", [2, 2]), g.input("b", "float32", [2, 2])]);
  const { createSession, RUNTIME_VERSION } = await import("../../core/session.node.ts"); // it may be this that does not load
  const session = await createSession(serialize(g.build("product", [product])), { device, name: "a product of two matrices" });
  const { [product.name]: found } = await session.run({ a: float32(A, [2, 2]), b: float32(B, [2, 2]) });
  await session.dispose();
  needProduct(numbersOf(found));
  return `onnxruntime-node ${RUNTIME_VERSION}`;
};

/** What of TensorFlow.js is used here. */
interface TensorFlow {
  readonly version: { readonly tfjs?: string; readonly "tfjs-core"?: string };
  getBackend(): string;
  ready(): Promise<void>;
  tensor2d(values: readonly number[], shape: readonly [number, number]): unknown;
  matMul(a: unknown, b: unknown): { data(): Promise<ArrayLike<number>> };
}

/** A package of TensorFlow.js, of the project that this is called in, or beside this package. */
const tensorFlow = (name: string) => async (): Promise<string> => {
  const tf = requireHere(name) as TensorFlow;
  await tf.ready();
  needProduct(Array.from(await tf.matMul(tf.tensor2d(A, [2, 2]), tf.tensor2d(B, [2, 2])).data()));
  return `${tf.version.tfjs ?? tf.version["tfjs-core"]}, backend ${tf.getBackend()}`;
};

function requireHere(name: string): unknown {
  const [here, beside] = [join(process.cwd(), "package.json"), import.meta.url].map((from) => createRequire(from));
  try {
    here.resolve(name);
  } catch {
    return beside(name);
  }
  return here(name);
}

/** Whether a package is installed, here or beside this package. */
export function isInstalled(name: string): boolean {
  return [join(process.cwd(), "package.json"), import.meta.url].some((from) => {
    try {
      createRequire(from).resolve(`${name}/package.json`);
      return true;
    } catch {
      return false;
    }
  });
}

/** A picture there and back. */
async function picture(): Promise<string> {
  const { default: sharp } = await import("sharp");
  const png = await sharp({ create: { width: 2, height: 2, channels: 3, background: "#204060" } })
    .png()
    .toBuffer();
  const { data, info } = await sharp(png).raw().toBuffer({ resolveWithObject: true });
  if (info.width !== 2 || data[2] !== 0x60)
    throw new FivecropError(`it decodes wrongly: expected [32, 64, 96], found [${[...data.subarray(0, 3)]}]`);
  return `sharp ${sharp.versions.sharp}, libvips ${sharp.versions.vips}`;
}

/** What can be tried: each gives a detail of what it found, or throws why it does not work. */
export const PROBES = {
  cpu: onnxRuntime("cpu"),
  webgpu: onnxRuntime("webgpu"),
  cuda: onnxRuntime("cuda"),
  "@tensorflow/tfjs-node-gpu": tensorFlow("@tensorflow/tfjs-node-gpu"),
  "@tensorflow/tfjs-node": tensorFlow("@tensorflow/tfjs-node"),
  "@tensorflow/tfjs": tensorFlow("@tensorflow/tfjs"),
  sharp: picture,
  browser: tryBrowser,
} as const satisfies Readonly<Record<string, () => Promise<string>>>;

export type ProbeName = keyof typeof PROBES;
