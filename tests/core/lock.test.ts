import { execFile, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";
import { acquireLock } from "../../core/lock.node.ts";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "fivecrop-lock-"));
});
afterAll(() => rm(folder, { recursive: true }));

const lockFile = (name: string): string => join(folder, `${name}.lock`);

test("once held it is refused, and free again afterwards", async () => {
  const file = lockFile("twice");
  const release = await acquireLock(file, "the run in r");
  expect(await readFile(file, "utf8")).toBe(`${process.pid}\n`);
  await expect(acquireLock(file, "the run in r")).rejects.toThrow(`the run in r is in use by process ${process.pid}. To fix: wait`);
  await release();
  expect(existsSync(file)).toBe(false);
  await (await acquireLock(file, "the run in r"))();
});

test("another process that lives keeps it; one that is gone, or a file with no number, does not", async () => {
  const file = lockFile("other");
  const other = spawn(process.execPath, ["-e", "setTimeout(() => {}, 60000)"]);
  await writeFile(file, `${other.pid}\n`);
  await expect(acquireLock(file, "the run in r")).rejects.toThrow(`in use by process ${other.pid}`);
  expect(await readFile(file, "utf8")).toBe(`${other.pid}\n`);
  other.kill("SIGKILL");
  await new Promise((done) => other.on("close", done));
  await (await acquireLock(file, "the run in r"))();
  for (const text of ["", "no number\n", "-1\n"]) {
    await writeFile(file, text);
    await (await acquireLock(file, "the run in r"))();
  }
  expect(await readdir(folder)).not.toContain("other.lock");
});

test("of eight processes that find a lock left behind one gets it", async () => {
  const file = lockFile("race");
  await writeFile(file, "999999999\n");
  const script = `
    import { acquireLock } from ${JSON.stringify(new URL("../../dist/core/lock.node.js", import.meta.url).href)};
    const held = await acquireLock(${JSON.stringify(file)}, "it").then(() => true, () => false);
    console.log(held);
    await new Promise((done) => setTimeout(done, 4000));`;
  const children = Array.from({ length: 8 }, () => promisify(execFile)(process.execPath, ["--input-type=module", "--eval", script]));
  const said = await Promise.all(children.map(async (child) => (await child).stdout.trim()));
  expect(said.filter((held) => held === "true")).toHaveLength(1);
});

test("a place that cannot be written is named", async () => {
  await expect(acquireLock(join(folder, "nowhere", "x.lock"), "it")).rejects.toThrow(
    /^cannot write .*x\.lock: there is no such file or folder\. To fix/,
  );
});
