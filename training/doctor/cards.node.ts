// Graphics cards as Linux shows them, and which of them this process has open.
import { readdir, readFile, readlink, realpath } from "node:fs/promises";
import { basename } from "node:path";

/** By the vendor's number on the bus. */
const VENDORS: Readonly<Record<string, string>> = {
  "0x10de": "NVIDIA",
  "0x1002": "AMD",
  "0x8086": "Intel",
  "0x106b": "Apple",
  "0x1414": "Microsoft",
};

const DRM = "/sys/class/drm";

/** The devices' names by their slots, as `lspci -mm -D` prints them. */
export function namesBySlot(lines: readonly string[]): ReadonlyMap<string, string> {
  return new Map(
    lines.flatMap((line) => {
      const [, slot, name] = /^(\S+) "[^"]*" "[^"]*" "([^"]*)"/.exec(line) ?? [];
      return slot ? [[slot, name] as const] : [];
    }),
  );
}

/** The card behind a node of the system's, such as card0 or renderD128; `undefined` where it is on no bus that numbers vendors. */
async function cardAt(node: string, names: ReadonlyMap<string, string>, folder: string): Promise<string | undefined> {
  const at = `${folder}/${node}/device`;
  const read = async (file: string): Promise<string> => (await readFile(`${at}/${file}`, "utf8").catch(() => "")).trim();
  const [vendor, device, slot] = await Promise.all([read("vendor"), read("device"), realpath(at).catch(() => "")]);
  if (!vendor) return undefined;
  const name = names.get(basename(slot));
  return `${VENDORS[vendor] ?? `vendor ${vendor}`}${name ? ` ${name}` : `, device ${device}`}`;
}

/** Every card that the system names. */
export async function linuxCards(names: ReadonlyMap<string, string>, folder = DRM): Promise<string[]> {
  const nodes = await readdir(folder).catch(() => []);
  const cards = await Promise.all(nodes.filter((node) => /^card\d+$/.test(node)).map((node) => cardAt(node, names, folder)));
  return cards.filter((card) => card !== undefined);
}

/** What a process that computes on a graphics adapter has of it. */
export interface OpenAdapter {
  /** Files of cards: none on a software adapter. */
  readonly devices: readonly string[];
  /** Libraries of Vulkan's drivers. */
  readonly drivers: readonly string[];
}

/** Of this process, while it computes there; `undefined` on other systems than Linux, which do not say. */
export async function openAdapter(): Promise<OpenAdapter | undefined> {
  if (process.platform !== "linux") return undefined;
  const numbers = await readdir("/proc/self/fd");
  const files = await Promise.all(numbers.map((number) => readlink(`/proc/self/fd/${number}`).catch(() => ""))); // one is this reading's own
  const maps = await readFile("/proc/self/maps", "utf8");
  const unique = (all: readonly string[]): string[] => [...new Set(all)].sort();
  return {
    devices: unique(files.filter((file) => /^\/dev\/(dri\/(renderD|card)\d+|nvidia\d+|dxg)$/.test(file))),
    drivers: unique(Array.from(maps.matchAll(/\/(lib(?:vk_|vulkan_|GLX_nvidia)[\w.]+)$/gm), ([, library]) => library)),
  };
}

/**
 * That adapter in words: its card, or that it is none.
 * @param nvidia what NVIDIA's driver calls its cards, in its order
 */
export async function describeAdapter(
  { devices, drivers }: OpenAdapter,
  {
    names,
    nvidia,
    folder = DRM,
  }: { readonly names: ReadonlyMap<string, string>; readonly nvidia: readonly string[]; readonly folder?: string },
): Promise<string> {
  if (devices.length === 0) return `on a software adapter${drivers.length > 0 ? ` (${drivers.join(", ")})` : ""}: slow`;
  const nameOf = async (file: string): Promise<string> => {
    const [, number] = /^\/dev\/nvidia(\d+)$/.exec(file) ?? [];
    return (number === undefined ? await cardAt(basename(file), names, folder) : nvidia[Number(number)]) ?? file;
  };
  const cards = [...new Set(await Promise.all(devices.map(nameOf)))];
  const other = nvidia.length > 0 ? cards.filter((card) => nvidia.includes(card) || !card.startsWith("NVIDIA")) : cards; // one card, by two files
  return other.length === 1 ? `on ${other[0]}` : `on one of ${other.join("; ")}`;
}
