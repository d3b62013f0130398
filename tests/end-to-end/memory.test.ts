import { execFile } from "node:child_process";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import { expect, test } from "vitest";

const ROOT = resolve(import.meta.dirname, "../..");
/** What memory may grow by between step 500 and step 2,000, in megabytes. A batch is 47 kB: to keep one a step would be 70. */
const MOST = 25;

/** Resident memory, in megabytes, after 500, 1,000, 1,500 and 2,000 steps of a process that keeps so many batches of each step. */
async function memoryOver(leaked: number): Promise<number[]> {
  const child = join(ROOT, "tests/end-to-end/memory.child.mjs");
  const { stdout } = await promisify(execFile)(process.execPath, ["--expose-gc", child, join(ROOT, "dist"), String(leaked)]);
  return JSON.parse(stdout);
}

test("memory stays flat over 2,000 steps, and a leak of one batch a step would be seen", async () => {
  const flat = await memoryOver(0);
  expect(flat).toHaveLength(4);
  expect(flat[3] - flat[0], `megabytes after 500, 1,000, 1,500 and 2,000 steps: ${flat.map(Math.round)}`).toBeLessThan(MOST);
  const leaking = await memoryOver(1);
  expect(leaking[3] - leaking[0]).toBeGreaterThan(2 * MOST);
});
