// The machine of a measurement, in a line.
import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { cpus, totalmem } from "node:os";
import { RUNTIME_VERSION } from "../dist/core/session.node.js";

function instructions() {
  if (!existsSync("/proc/cpuinfo")) return "instruction set unknown";
  const flags = execFileSync("grep", ["-m1", "^flags", "/proc/cpuinfo"], { encoding: "utf8" }).split(/\s+/);
  return ["avx", "avx2", "fma", "avx512f", "avx512_vnni", "avx512_bf16", "amx_tile"].filter((flag) => flags.includes(flag)).join(", ");
}

export const machine = () =>
  `${cpus()[0].model.trim()}, ${cpus().length} cores, ${instructions()}; ${(totalmem() / 2 ** 30).toFixed(0)} GB; Node ${process.version}, ONNX Runtime ${RUNTIME_VERSION}.`;
