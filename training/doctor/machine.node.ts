import { execFile } from "node:child_process";
import { readdir, readFile } from "node:fs/promises";
import { availableParallelism, cpus, totalmem } from "node:os";
import { promisify } from "node:util";
import { bytes } from "../../core/text.ts";
import { VERSION } from "../../export/version.ts";

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

/** By the vendor's number on the bus. */
const VENDORS: Readonly<Record<string, string>> = {
  "0x10de": "NVIDIA",
  "0x1002": "AMD",
  "0x8086": "Intel",
  "0x106b": "Apple",
  "0x1414": "Microsoft",
};

async function linuxCards(): Promise<string[]> {
  const folder = "/sys/class/drm";
  const names = await readdir(folder).catch(() => []);
  const cards = names.filter((name) => /^card\d+$/.test(name));
  const read = async (card: string, file: string): Promise<string> =>
    (await readFile(`${folder}/${card}/device/${file}`, "utf8").catch(() => "")).trim();
  const found = await Promise.all(cards.map(async (card) => [await read(card, "vendor"), await read(card, "device")] as const));
  return found.flatMap(([vendor, device]) => (vendor ? [`${VENDORS[vendor] ?? `vendor ${vendor}`}, device ${device}`] : []));
}

const CARDS: Readonly<Partial<Record<NodeJS.Platform, () => Promise<string[]>>>> = {
  linux: linuxCards,
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
