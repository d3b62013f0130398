import { spawn } from "node:child_process";
import { readdirSync } from "node:fs";
import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { removeAbandoned, writeWhole } from "../../core/atomic-file.node.ts";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "fivecrop-atomic-"));
});
afterAll(() => rm(folder, { recursive: true }));

const NAME = "big.bin";
const underWay = (): string[] => readdirSync(folder).filter((entry) => entry.endsWith(".tmp"));

test("what a process left that was killed in the midst of a write goes; what others write, and other files, stay", async () => {
  const script = `
    import { writeWhole } from ${JSON.stringify(new URL("../../dist/core/atomic-file.node.js", import.meta.url).href)};
    for (;;) await writeWhole(${JSON.stringify(join(folder, NAME))}, new Uint8Array(3e7));`;
  const child = spawn(process.execPath, ["--input-type=module", "--eval", script], { stdio: "inherit" });
  const ended = new Promise((done) => child.on("close", done));
  await expect.poll(underWay, { interval: 1, timeout: 30_000 }).toHaveLength(1);
  child.kill("SIGSTOP");
  while (underWay().length === 0) {
    child.kill("SIGCONT"); // stopped between two writes
    await new Promise((done) => setTimeout(done, 5));
    child.kill("SIGSTOP");
  }
  const others = [`${NAME}.${process.ppid}-0.tmp`, "other.bin.999999999-0.tmp", `${NAME}.tmp`, `${NAME}.copy`];
  for (const other of others) await writeFile(join(folder, other), "");
  const left = underWay().find((entry) => entry.startsWith(`${NAME}.${child.pid}-`))!;

  await removeAbandoned(folder, [NAME]);
  expect(underWay()).toContain(left);
  child.kill("SIGKILL");
  await ended;
  expect(underWay()).toContain(left);
  const own = writeWhole(join(folder, NAME), new Uint8Array(3e7));
  await Promise.all([own, removeAbandoned(folder, [NAME])]);
  expect((await readdir(folder)).sort()).toEqual([NAME, ...others].sort());
});

test("a number that this process has now may be of an earlier one", async () => {
  const file = `${NAME}.${process.pid}-987654.tmp`;
  await writeFile(join(folder, file), "");
  await removeAbandoned(folder, [NAME]);
  expect(underWay()).not.toContain(file);
});
