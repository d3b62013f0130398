import { readdir } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { HOW_TO_GET_A_BROWSER } from "../../core/chromium.node.ts";
import { describeMachine, type Machine } from "./machine.node.ts";
import { probe } from "./probe.node.ts";
import { isInstalled, PROBES, type ProbeName } from "./probes.node.ts";

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
  readonly fix: (machine: Machine) => Promise<string | undefined> | string | undefined;
}

const VULKAN = "sudo apt-get install libvulkan1 mesa-vulkan-drivers";
const tfjs = (name: string, use: string, absence?: Part["absence"]): Part => ({
  use,
  absence: (machine) => absence?.(machine) ?? (isInstalled(name) ? undefined : "not installed (it is optional)"),
  fix: () => `npm install ${name}`,
});

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
    fix({ graphics }) {
      if (process.platform !== "linux") return "update the graphics driver";
      return graphics.length ? VULKAN : `${VULKAN} (a software adapter: slow; no graphics card was found)`;
    },
  },
  cuda: {
    use: "trains on an NVIDIA card",
    absence({ nvidia }) {
      if (process.platform !== "linux" || process.arch !== "x64") return "onnxruntime-node has it on Linux x64 alone";
      return nvidia.length ? undefined : "no NVIDIA card with a driver (nvidia-smi names none)";
    },
    fix: async ({ nvidia }) => {
      if (!nvidia.length) return undefined;
      return (await hasCudaProvider())
        ? "install CUDA 12 and cuDNN 9, and put them on LD_LIBRARY_PATH"
        : "ONNXRUNTIME_NODE_INSTALL=cuda12 npm rebuild onnxruntime-node";
    },
  },
  "@tensorflow/tfjs-node-gpu": tfjs("@tensorflow/tfjs-node-gpu", "TensorFlow on an NVIDIA card"),
  "@tensorflow/tfjs-node": tfjs("@tensorflow/tfjs-node", "TensorFlow on the processor"),
  "@tensorflow/tfjs": tfjs("@tensorflow/tfjs", "TensorFlow.js in plain JavaScript"),
  sharp: { use: "reads pictures", fix: () => "npm rebuild sharp" },
  browser: { use: "verify --browser", fix: () => HOW_TO_GET_A_BROWSER },
};

const NO_BROWSER = "no browser was found";

async function examineOne(name: ProbeName, machine: Machine): Promise<Finding> {
  const { use, absence, fix } = PARTS[name];
  const absent = absence?.(machine);
  const about = { name, use };
  const mending = async () => {
    const command = await fix(machine);
    return command === undefined ? {} : { fix: command };
  };
  if (absent !== undefined) return { ...about, works: false, absent: true, text: absent, ...(await mending()) };
  const found = await probe(name);
  if (found.works) return { ...about, works: true, absent: false, text: found.detail, seconds: found.seconds };
  const [text] = found.message.replace(/^a product of two matrices: /, "").split(" To fix: ");
  return { ...about, works: false, absent: text.startsWith(NO_BROWSER), text, ...(await mending()) };
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
