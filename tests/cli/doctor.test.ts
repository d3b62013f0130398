import { expect, test } from "vitest";
import { softwareAdapter } from "../software-adapter.ts";
import { pretendedCard } from "./pretended-card.ts";
import { fivecrop, jsonLines, temporaryFolder } from "./run.ts";

const cwd = await temporaryFolder();
const NO_ADAPTER = { VK_ICD_FILENAMES: "none.json" };

test("doctor: what works, what does not, why, and what would mend it", async () => {
  const { code, stdout } = await fivecrop(["doctor", "--json"], { cwd, env: { ...NO_ADAPTER, FIVECROP_TFJS: await pretendedCard() } });
  const [{ works, machine, findings }] = jsonLines(stdout) as {
    works: boolean;
    machine: { node: string };
    findings: { name: string; works: boolean; absent: boolean; text: string; fix?: string }[];
  }[];
  expect([code, works, machine.node]).toEqual([0, true, process.version.slice(1)]);
  const found = new Map(findings.map((finding) => [finding.name, finding]));
  expect(found.get("cpu")).toMatchObject({ works: true, text: expect.stringMatching(/^onnxruntime-node \d/) });
  expect(found.get("sharp")).toMatchObject({ works: true, text: expect.stringMatching(/^sharp \d/) });
  expect(found.get("@tensorflow/tfjs-node-gpu")).toMatchObject({ works: true, text: "version 4.22.0, on the graphics card" });
  expect(found.get("@tensorflow/tfjs")).toMatchObject({ works: false, absent: true, text: "not installed (it is optional)" });
  for (const { works: does, absent, fix, name } of findings) if (!does && !absent) expect(fix, name).toBeTruthy();
  if (process.platform === "linux") expect(found.get("webgpu")).toMatchObject({ works: false, fix: expect.stringContaining("libvulkan1") });
}, 300_000);

test("in a terminal of 80 columns no line is longer, and none ends in the middle of a word", async () => {
  const FIVECROP_TFJS = await pretendedCard('throw new Error("libcudart.so.11.0: cannot open shared object file");');
  const { code, stdout } = await fivecrop(["doctor"], { cwd, env: { ...NO_ADAPTER, FIVECROP_TFJS } });
  expect(code).toBe(0);
  expect(stdout.replace(/\s+/g, " ")).toMatch(
    /✗ tfjs-node-gpu .* cannot be loaded: libcudart.* to have it: npm rebuild @tensorflow\/tfjs-node-gpu/,
  );
  expect(stdout).toMatch(/^✓ cpu/m);
  for (const line of stdout.split("\n")) if (line.trim().includes(" ")) expect(line.length, line).toBeLessThanOrEqual(80);
}, 300_000);

test.skipIf(process.platform !== "linux")(
  "train on a device that is not there says so, with doctor's advice, and trains nothing",
  async () => {
    const args = ["train", "--model", "fashion-cnn", "--data", "fashion-mnist-sample", "--out", "run"];
    for (const device of ["webgpu", "cuda"]) {
      const { code, stderr } = await fivecrop([...args, "--device", device], { cwd, env: NO_ADAPTER });
      expect([code, stderr]).toEqual([
        1,
        expect.stringMatching(/is not to be had on this machine: .*fivecrop doctor says .*choose the device cpu\./s),
      ]);
    }
    const misused = await fivecrop([...args, "--device", "tpu"], { cwd });
    expect([misused.code, misused.stderr]).toEqual([2, expect.stringContaining("cpu, webgpu, cuda, auto")]);
  },
  300_000,
);

test.skipIf(process.platform !== "linux")(
  "--device auto says what it took, and why not the others",
  async () => {
    const args = [
      "train",
      "--model",
      "fashion-cnn",
      "--data",
      "fashion-mnist-sample",
      "--epochs",
      "1",
      "--no-report",
      "--out",
      "auto",
      "--json",
    ];
    const { code, stdout } = await fivecrop([...args, "--device", "auto"], { cwd, env: NO_ADAPTER });
    expect(code).toBe(0);
    const event = jsonLines(stdout).find(({ kind }) => kind === "engine");
    expect(event).toMatchObject({ engine: "onnxruntime", device: "cpu", refused: [{ device: "cuda" }, { device: "webgpu" }] });
  },
  300_000,
);

const ADAPTER = softwareAdapter("doctor on a software adapter");

test.skipIf(!ADAPTER)(
  "on a software adapter doctor says that it is one, and by which driver, for Node and for the browser",
  async () => {
    const { code, stdout } = await fivecrop(["doctor", "--json"], { cwd, env: ADAPTER });
    expect(code).toBe(0);
    const [{ findings }] = jsonLines(stdout) as { findings: { name: string; works: boolean; text: string }[] }[];
    const textOf = (name: string) => findings.find((finding) => finding.name === name)?.text;
    expect(textOf("webgpu")).toMatch(/^onnxruntime-node [\d.]+, on a software adapter \(libvk_swiftshader\.so\): slow$/);
    expect(textOf("browser")).toMatch(/, with WebGPU on .*swiftshader/i);
  },
  300_000,
);
