import { existsSync } from "node:fs";

/** runs/a, or runs/a-2, runs/a-3 … where that is taken. */
export function unusedDirectory(wanted: string): string {
  for (let n = 1; ; n++) {
    const candidate = n === 1 ? wanted : `${wanted}-${n}`;
    if (!existsSync(candidate)) return candidate;
  }
}
