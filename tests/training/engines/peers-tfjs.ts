import { existsSync } from "node:fs";
import { join } from "node:path";
import type { TfjsPackage } from "../../../training/engines/tfjs-package.node.ts";

/** The folder with libtensorflow's packages, which are built once `ready` is beside them: PEERS holds it. `undefined` where it is not set up, which is said. */
export function peersTfjs(packageName: TfjsPackage, tests: string): string | undefined {
  const folder = process.env.PEERS && join(process.env.PEERS, "tfjs");
  if (folder && existsSync(join(folder, "node_modules", packageName)) && existsSync(join(folder, "ready"))) return folder;
  console.log(`skipped: ${tests} (set PEERS to the folder with tfjs/node_modules/${packageName})`);
  return undefined;
}
