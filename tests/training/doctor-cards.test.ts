import { mkdir, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { describeAdapter, linuxCards, namesBySlot } from "../../training/doctor/cards.node.ts";
import { temporaryFolder } from "../cli/run.ts";

const AMD =
  '0000:03:00.0 "VGA compatible controller" "Advanced Micro Devices, Inc. [AMD/ATI]" "Navi 31 [Radeon RX 7900 XTX]" -rc8 "Sapphire" "NITRO+"';
const RTX = "NVIDIA GeForce RTX 4090, 550.54, 24564 MiB";

/** The system's folder of cards: each with the numbers of its vendor and device, in its slot. */
async function drm(cards: readonly (readonly [nodes: readonly string[], slot: string, vendor: string, device: string])[]): Promise<string> {
  const root = await temporaryFolder();
  for (const [nodes, slot, vendor, device] of cards) {
    const at = join(root, "devices", slot);
    await mkdir(at, { recursive: true });
    await writeFile(join(at, "vendor"), `${vendor}\n`);
    await writeFile(join(at, "device"), `${device}\n`);
    for (const node of nodes) {
      await mkdir(join(root, "drm", node), { recursive: true });
      await symlink(at, join(root, "drm", node, "device"));
    }
  }
  return join(root, "drm");
}

const TWO = [
  [["card0", "renderD128"], "0000:03:00.0", "0x1002", "0x744c"],
  [["card1", "renderD129"], "0000:00:02.0", "0x8086", "0x46a6"],
] as const;

test.skipIf(process.platform === "win32")("cards have their names where the system knows them, else their numbers", async () => {
  const folder = await drm(TWO);
  expect((await linuxCards(namesBySlot([AMD]), folder)).sort()).toEqual(["AMD Navi 31 [Radeon RX 7900 XTX]", "Intel, device 0x46a6"]);
  expect((await linuxCards(namesBySlot([]), folder)).sort()).toEqual(["AMD, device 0x744c", "Intel, device 0x46a6"]);
});

test.skipIf(process.platform === "win32").each([
  [["/dev/dri/renderD128"], [], "on AMD Navi 31 [Radeon RX 7900 XTX]"],
  [["/dev/dri/renderD128", "/dev/dri/renderD129"], [], "on one of AMD Navi 31 [Radeon RX 7900 XTX]; Intel, device 0x46a6"],
  [["/dev/dri/renderD130", "/dev/nvidia0"], [RTX], `on ${RTX}`],
  [["/dev/dxg"], [], "on /dev/dxg"],
  [[], [], "on a software adapter (libvulkan_lvp.so): slow"],
] as const)("what has %j open computes there", async (devices, nvidia, expected) => {
  const folder = await drm([...TWO, [["card2", "renderD130"], "0000:01:00.0", "0x10de", "0x2684"]]);
  expect(await describeAdapter({ devices, drivers: ["libvulkan_lvp.so"] }, { names: namesBySlot([AMD]), nvidia, folder })).toBe(expected);
});
