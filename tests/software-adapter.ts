import { existsSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const ICD = join(tmpdir(), "vk_swiftshader_icd.json");
const LIBRARY = join(tmpdir(), "libvulkan.so.1");

/** What a Node process must be started with for onnxruntime-node to find npm's Chromium's software adapter; `undefined` where there is none, which is said. */
export function softwareAdapter(tests: string): Readonly<Record<string, string>> | undefined {
  if (existsSync(ICD) && existsSync(LIBRARY)) return { VK_ICD_FILENAMES: ICD, LD_LIBRARY_PATH: tmpdir() };
  console.log(`skipped: ${tests} (no software adapter: @sparticuz/chromium brings one, on Linux x64)`);
  return undefined;
}
