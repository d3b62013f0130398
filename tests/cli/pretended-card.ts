import { mkdir, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { temporaryFolder } from "./run.ts";

const HERE = resolve(import.meta.dirname, "../..");

/** For FIVECROP_TFJS, a folder with a package that computes as plain TensorFlow.js does, and says that it is on a card unless CUDA shows it none. @param code in its place */
export async function pretendedCard(code?: string): Promise<string> {
  const folder = await temporaryFolder();
  const inside = join(folder, "node_modules/@tensorflow/tfjs-node-gpu");
  await mkdir(inside, { recursive: true });
  await writeFile(join(inside, "package.json"), JSON.stringify({ name: "@tensorflow/tfjs-node-gpu", version: "4.22.0", main: "index.js" }));
  const plain = JSON.stringify(join(HERE, "node_modules/@tensorflow/tfjs"));
  const onCard = `const isUsingGpuDevice = process.env.CUDA_VISIBLE_DEVICES !== "-1";
module.exports = { ...require(${plain}), backend: () => ({ isUsingGpuDevice }) };`;
  await writeFile(join(inside, "index.js"), code ?? onCard);
  return folder;
}
