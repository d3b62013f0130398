import { readdir } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { HOW_TO_GET_A_BROWSER } from "../../core/chromium.node.ts";
import { shellWord } from "../../core/text.ts";
import { installedTfjs, type TfjsPackage } from "../engines/tfjs-package.node.ts";
import { describeAdapter } from "./cards.node.ts";
import { busNames, describeMachine, type Machine } from "./machine.node.ts";
import { probe } from "./probe.node.ts";
import { type Found, PROBES, type ProbeName } from "./probes.node.ts";

/** What one part of the machine was found to do. */
export interface Finding {
  readonly name: ProbeName;
  /** What it is for. */
  readonly use: string;
  readonly works: boolean;
  /** It is not there, and nobody said that it should be. */
  readonly absent: boolean;
  /** What was found, or why it does not work. */
  readonly text: string;
  /** The command that would mend it, or what else would. */
  readonly fix?: string;
  /** Of the tiny run, its process's work without its start. */
  readonly seconds?: number;
}

export interface Examination {
  readonly machine: Machine;
  readonly findings: readonly Finding[];
}

interface Part {
  readonly use: string;
  /** Why it need not be tried here; `undefined` where it is. */
  readonly absence?: (machine: Machine) => string | undefined;
  /** @param said what its error says would mend it */
  readonly fix: (machine: Machine, said?: string) => Promise<string | undefined> | string | undefined;
  /** What is to be added to what a trial that works found. */
  readonly about?: (machine: Machine, found: Found) => Promise<string>;
}

/** From NVIDIA's package repository. @see https://docs.nvidia.com/cuda/cuda-installation-guide-linux/ */
const CUDA_LIBRARIES = "sudo apt-get install cuda-libraries-12-8 libcudnn9-cuda-12 (from NVIDIA's package repository)";
const NVIDIA_DRIVER = "sudo ubuntu-drivers install (on Ubuntu)";
const VULKAN = "sudo apt-get install libvulkan1 mesa-vulkan-drivers";
const tfjs = (name: TfjsPackage, use: string): Part => ({
  use,
  absence() {
    try {
      return installedTfjs().includes(name) ? undefined : "not installed (it is optional)";
    } catch {
      return undefined; // its trial says why
    }
  },
  fix(_machine, said) {
    const { FIVECROP_TFJS: folder } = process.env;
    return said ?? `npm install ${folder ? `--prefix ${shellWord(folder)} ` : ""}${name}`;
  },
});

/** What WebGPU computes on: on Linux what the trial had open, elsewhere what the system has, since the runtime does not tell. */
async function adapterOf({ graphics, nvidia }: Machine, { adapter }: Found): Promise<string> {
  if (adapter) return describeAdapter(adapter, { names: await busNames(), nvidia });
  return graphics.length ? `this machine has ${graphics.join("; ")}` : "no graphics card was found: perhaps on a software adapter";
}

/** The provider's libraries, which onnxruntime-node's install script fetches. */
async function hasCudaProvider(): Promise<boolean> {
  const folder = dirname(createRequire(import.meta.url).resolve("onnxruntime-node/package.json"));
  const files = await readdir(join(folder, "bin/napi-v6", process.platform, process.arch)).catch(() => []);
  return files.some((file) => file.includes("providers_cuda"));
}

const PARTS: { readonly [P in ProbeName]: Part } = {
  cpu: { use: "trains and answers", fix: () => "npm rebuild onnxruntime-node" },
  webgpu: {
    use: "trains and answers on a graphics card of any vendor",
    about: adapterOf,
    fix({ graphics }) {
      if (process.platform !== "linux") return "update the graphics driver";
      return graphics.length ? VULKAN : `${VULKAN} (a software adapter: slow; no graphics card was found)`;
    },
  },
  cuda: {
    use: "trains and answers on an NVIDIA card",
    absence({ nvidia }) {
      if (process.platform !== "linux" || process.arch !== "x64") return "onnxruntime-node has it on Linux x64 alone";
      return nvidia.length ? undefined : "no NVIDIA card with a driver (nvidia-smi names none)";
    },
    fix: async ({ nvidia, graphics }) => {
      if (!nvidia.length) return graphics.some((card) => card.startsWith("NVIDIA")) ? NVIDIA_DRIVER : undefined;
      return (await hasCudaProvider()) ? CUDA_LIBRARIES : "ONNXRUNTIME_NODE_INSTALL=cuda12 npm rebuild onnxruntime-node";
    },
  },
  "@tensorflow/tfjs-node-gpu": tfjs("@tensorflow/tfjs-node-gpu", "train --engine tfjs, on an NVIDIA card where there is one"),
  "@tensorflow/tfjs-node": tfjs("@tensorflow/tfjs-node", "train --engine tfjs, on the processor"),
  "@tensorflow/tfjs": tfjs("@tensorflow/tfjs", "train --engine tfjs, in plain JavaScript"),
  sharp: { use: "reads pictures", fix: () => "npm rebuild sharp" },
  browser: { use: "verify --browser", fix: () => HOW_TO_GET_A_BROWSER },
};

/** What errors say for who reads them elsewhere. */
const ABOUT_ITSELF = /^a product of two matrices: |(?::| \() ?fivecrop doctor says[^.)]*\)?/g;
const NO_BROWSER = "no browser was found";

async function examineOne(name: ProbeName, machine: Machine): Promise<Finding> {
  const { use, absence, fix, about: more } = PARTS[name];
  const absent = absence?.(machine);
  const about = { name, use };
  const mending = async (said?: string) => {
    const command = await fix(machine, said);
    return command === undefined ? {} : { fix: command };
  };
  if (absent !== undefined) return { ...about, works: false, absent: true, text: absent, ...(await mending()) };
  const found = await probe(name);
  if (found.works)
    return {
      ...about,
      works: true,
      absent: false,
      text: more ? `${found.detail}, ${await more(machine, found)}` : found.detail,
      seconds: found.seconds,
    };
  const [text, said] = found.message.replace(ABOUT_ITSELF, "").split(" To fix: ");
  return { ...about, works: false, absent: text.startsWith(NO_BROWSER), text, ...(await mending(said)) };
}

/** Tries everything that this machine may have, one after the other, each in a process of its own. */
export async function* examine(): AsyncGenerator<Machine | Finding, Examination, undefined> {
  const machine = await describeMachine();
  yield machine;
  const findings: Finding[] = [];
  for (const name of Object.keys(PROBES) as ProbeName[]) {
    const finding = await examineOne(name, machine);
    findings.push(finding);
    yield finding;
  }
  return { machine, findings };
}
