import { execFile } from "node:child_process";
import { availableParallelism, cpus, totalmem } from "node:os";
import { promisify } from "node:util";
import { bytes } from "../../core/text.ts";
import { VERSION } from "../../export/version.ts";
import { linuxCards, namesBySlot } from "./cards.node.ts";

/** What a machine is, in words. */
export interface Machine {
  readonly fivecrop: string;
  readonly node: string;
  readonly platform: string;
  readonly processor: string;
  readonly memory: string;
  /** Graphics cards that the system names. */
  readonly graphics: readonly string[];
  /** The NVIDIA cards among them that its driver answers for. */
  readonly nvidia: readonly string[];
}

/** What a program prints, line by line; nothing where it is not there or fails, since it only adds to what is known. */
async function linesOf(program: string, args: readonly string[]): Promise<string[]> {
  try {
    const { stdout } = await promisify(execFile)(program, args, { timeout: 20_000 });
    return stdout.split("\n").flatMap((line) => (line.trim() ? [line.trim()] : []));
  } catch {
    return [];
  }
}

/** What `lspci`, where it is there, calls what is on the bus. */
export const busNames = async (): Promise<ReadonlyMap<string, string>> => namesBySlot(await linesOf("lspci", ["-mm", "-D"]));

const CARDS: Readonly<Partial<Record<NodeJS.Platform, () => Promise<string[]>>>> = {
  linux: async () => linuxCards(await busNames()),
  darwin: async () =>
    (await linesOf("system_profiler", ["SPDisplaysDataType"])).flatMap((line) => /^Chipset Model: (.*)$/.exec(line)?.[1] ?? []),
  win32: () => linesOf("powershell", ["-NoProfile", "-Command", "(Get-CimInstance Win32_VideoController).Name"]),
};

/** What is known of this machine without trying it. */
export async function describeMachine(): Promise<Machine> {
  const [nvidia, cards = []] = await Promise.all([
    linesOf("nvidia-smi", ["--query-gpu=name,driver_version,memory.total", "--format=csv,noheader"]),
    CARDS[process.platform]?.(),
  ]);
  return {
    fivecrop: VERSION,
    node: process.version.slice(1),
    platform: `${process.platform} ${process.arch}`,
    processor: `${cpus()[0]?.model.trim() ?? "unknown"}, ${availableParallelism()} threads`,
    memory: bytes(totalmem()),
    graphics: nvidia.length ? [...nvidia, ...cards.filter((card) => !card.startsWith("NVIDIA"))] : cards,
    nvidia,
  };
}
