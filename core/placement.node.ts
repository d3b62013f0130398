import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as ort from "onnxruntime-node";
import { sizeOf } from "./tensor.ts";

interface ProfileEvent {
  readonly name: string;
  readonly args?: { readonly op_name?: string; readonly provider?: string };
}

export type GpuDevice = "webgpu" | "cuda";

const ARRAYS = { float32: Float32Array, uint8: Uint8Array } as const;

/**
 * Which operators of a model ONNX Runtime runs elsewhere, asked for this device: it only says so in a profile of a run, which is made here with zeros.
 * @returns operators with their nodes' names, each operator once: "LogSoftmax (node 'out')"
 */
export async function operatorsOffDevice(model: Uint8Array, device: GpuDevice): Promise<string[]> {
  const folder = await mkdtemp(join(tmpdir(), "fivecrop-profile-"));
  try {
    await profile(model, device, join(folder, "run"));
    const [file] = await readdir(folder);
    const events: readonly ProfileEvent[] = file ? JSON.parse(await readFile(join(folder, file), "utf8")) : [];
    const found = new Map<string, string>();
    for (const { name, args } of events)
      if (args?.op_name && args.provider === "CPUExecutionProvider" && !found.has(args.op_name))
        found.set(args.op_name, `${args.op_name} (node '${name.replace(/_kernel_time$/, "")}')`);
    return [...found.values()];
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Runs the model once, as far as it comes. */
async function profile(model: Uint8Array, device: GpuDevice, profileFilePrefix: string): Promise<void> {
  const session = await ort.InferenceSession.create(model, {
    executionProviders: [device],
    logSeverityLevel: 4,
    enableProfiling: true,
    profileFilePrefix,
  });
  try {
    const feeds = session.inputMetadata.map((input) => {
      if (!input.isTensor) return undefined;
      const shape = input.shape.map((d) => (typeof d === "number" && d > 0 ? d : 1));
      const zeros = ARRAYS[input.type as keyof typeof ARRAYS];
      return zeros && ([input.name, new ort.Tensor(input.type as "float32", new zeros(sizeOf(shape)) as Float32Array, shape)] as const);
    });
    await session.run(Object.fromEntries(feeds.filter((feed) => feed !== undefined))).catch(() => undefined); // what ran before that is in the profile
  } finally {
    session.endProfiling();
    await session.release();
  }
}
