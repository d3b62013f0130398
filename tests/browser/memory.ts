import { readdirSync, readFileSync } from "node:fs";

const PAGE_SIZE = 4096;

function readStat(pid: string): { readonly parent: string; readonly bytes: number } | undefined {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ").at(-1)!.split(" ");
    return { parent: fields[1], bytes: Number(readFileSync(`/proc/${pid}/statm`, "utf8").split(" ")[1]) * PAGE_SIZE };
  } catch {
    return undefined; // it has ended meanwhile
  }
}

/** Resident bytes of all processes that this one has started, and theirs; 0 where the system has no /proc. */
export function residentMemory(): number {
  let pids: string[];
  try {
    pids = readdirSync("/proc").filter((name) => /^\d+$/.test(name));
  } catch {
    return 0;
  }
  const processes = new Map(pids.map((pid) => [pid, readStat(pid)]));
  const descends = (pid: string | undefined): boolean => {
    const parent = pid && processes.get(pid)?.parent;
    return Boolean(parent) && (parent === String(process.pid) || descends(parent));
  };
  return [...processes].reduce((sum, [pid, stat]) => sum + (stat && descends(pid) ? stat.bytes : 0), 0);
}
