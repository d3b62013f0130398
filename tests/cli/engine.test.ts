import { existsSync } from "node:fs";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { describe, expect, test } from "vitest";
import { tinyData } from "../training/tiny-data.ts";
import { pretendedCard } from "./pretended-card.ts";
import { fivecrop, jsonLines, temporaryFolder } from "./run.ts";

const train = ["train", "--model", "lenet-bn", "--data", "fashion-mnist-sample", "--epochs", "1"];
const HERE = resolve(import.meta.dirname, "../..");

/** What an engine that is not to be had says; nothing is left behind. */
async function refused(options: readonly string[], FIVECROP_TFJS: string): Promise<{ readonly code: number; readonly stderr: string }> {
  const out = join(await temporaryFolder(), "run");
  const { code, stderr } = await fivecrop([...train, "--out", out, ...options], { env: { FIVECROP_TFJS } });
  expect(existsSync(out)).toBe(false);
  return { code, stderr };
}

test("an engine whose packages are not there is an error with the line that adds them, and no other takes its place", async () => {
  const parent = await temporaryFolder();
  const empty = join(parent, "empty");
  const elsewhere = join(parent, "node_modules/@tensorflow/tfjs");
  await Promise.all([empty, elsewhere].map((folder) => mkdir(folder, { recursive: true })));
  await writeFile(join(elsewhere, "package.json"), "{}");
  const { code, stderr } = await refused(["--engine", "tfjs"], empty);
  expect(code).toBe(1);
  expect(stderr).toContain(
    "the engine tfjs needs a package of TensorFlow.js, found none (fivecrop doctor says what works here). To fix: npm install @tensorflow/tfjs-node ",
  );
});

test.each([
  ["an unknown engine", ["--engine", "tfj"], HERE, 2, "unknown engine 'tfj'. Did you mean 'tfjs'? There are: onnxruntime, tfjs, auto."],
  [
    "threads of plain TensorFlow.js",
    ["--engine", "tfjs", "--threads", "2"],
    HERE,
    2,
    "--threads: @tensorflow/tfjs has one thread, received 2.",
  ],
  [
    "a folder that is not there",
    ["--engine", "tfjs"],
    "/no/such/folder",
    1,
    "FIVECROP_TFJS: expected a folder whose node_modules has TensorFlow.js",
  ],
] as const)("%s is refused", async (_, options, folder, code, message) => {
  const finished = await refused(options, folder);
  expect(finished.stderr).toContain(message);
  expect(finished.code).toBe(code);
});

const NO_ADAPTER = { VK_ICD_FILENAMES: "none.json" };
const quick = async (): Promise<string[]> => {
  const tiny = ["--model", "lenet-bn", "--data", "fashion-mnist", "--data-dir", await tinyData(), "--batch-size", "2", "--validation", "2"];
  return ["train", ...tiny, "--epochs", "1", "--no-report"];
};

interface Trained {
  readonly event: Record<string, unknown> | undefined;
  readonly recorded: { readonly engine: unknown; readonly device: unknown };
}

/** Trains until the end. */
async function trained(args: readonly string[], out: string, env: Readonly<Record<string, string>>): Promise<Trained> {
  const { code, stdout, stderr } = await fivecrop([...args, "--json"], { env: { ...NO_ADAPTER, ...env } });
  expect(code, stderr).toBe(0);
  const events = jsonLines(stdout).filter(({ kind }) => kind === "engine");
  expect(events.length).toBeLessThanOrEqual(1);
  const { config, environment } = JSON.parse(await readFile(join(out, "run.json"), "utf8"));
  return { event: events[0], recorded: { engine: config.engine, device: environment.device } };
}

describe.skipIf(process.platform !== "linux")("--engine and --device", () => {
  test("auto takes what works, says which once, and why not the others", async () => {
    const [args, cwd, FIVECROP_TFJS] = await Promise.all([quick(), temporaryFolder(), temporaryFolder()]);
    const { code, stdout } = await fivecrop([...args, "--engine", "auto", "--out", "run"], { cwd, env: { ...NO_ADAPTER, FIVECROP_TFJS } });
    expect(code).toBe(0);
    const [first, ...rest] = stdout.split("\n");
    expect(first).toMatch(/^Engine onnxruntime on cpu \(onnxruntime-node [\d.]+\): it is what works here\.$/);
    expect(rest.slice(0, 3)).toEqual([
      "  not tfjs on cuda: @tensorflow/tfjs-node-gpu is not installed",
      expect.stringMatching(/^ {2}not onnxruntime on cuda: CUDA is not to be had on this machine/),
      expect.stringMatching(/^ {2}not onnxruntime on webgpu: WebGPU is not to be had on this machine/),
    ]);
    expect(stdout.match(/Engine/g)).toHaveLength(1);
    const { config, environment } = JSON.parse(await readFile(join(cwd, "run/run.json"), "utf8"));
    expect([config.engine, environment.device]).toEqual(["onnxruntime", "cpu"]);
  }, 300_000);

  test("auto leaves tfjs-node-gpu where it does not load, and says why", async () => {
    const [args, parent, FIVECROP_TFJS] = await Promise.all([
      quick(),
      temporaryFolder(),
      pretendedCard('throw new Error("libcudart.so.11.0: cannot open shared object file");'),
    ]);
    const out = join(parent, "run");
    const { event, recorded } = await trained([...args, "--engine", "auto", "--out", out], out, { FIVECROP_TFJS });
    expect(event).toMatchObject({ engine: "onnxruntime", device: "cpu" });
    expect((event!.refused as { reason: string }[])[0].reason).toContain("installed and cannot be loaded: libcudart.so.11.0");
    expect(recorded).toEqual({ engine: "onnxruntime", device: "cpu" });
  }, 300_000);

  test("auto on a device goes by the device: a card of tfjs for cuda, onnxruntime for webgpu", async () => {
    const [args, parent, FIVECROP_TFJS] = await Promise.all([quick(), temporaryFolder(), pretendedCard()]);
    const out = join(parent, "cuda");
    const { event, recorded } = await trained([...args, "--engine", "auto", "--device", "cuda", "--out", out], out, { FIVECROP_TFJS });
    expect(event).toMatchObject({ engine: "tfjs", device: "cuda", runtime: "@tensorflow/tfjs-node-gpu 4.22.0", check: { against: "cpu" } });
    expect(recorded).toEqual({ engine: "tfjs", device: "cuda" });
    const webgpu = ["--engine", "auto", "--device", "webgpu", "--out", join(parent, "webgpu")];
    const { code, stderr } = await fivecrop([...args, ...webgpu], { env: { ...NO_ADAPTER, FIVECROP_TFJS } });
    expect([code, stderr]).toEqual([1, expect.stringMatching(/WebGPU is not to be had on this machine.*fivecrop doctor/s)]);
  }, 300_000);

  test("tfjs on cpu is shown no card, and proves itself where it has one", async () => {
    const [args, parent, FIVECROP_TFJS] = await Promise.all([quick(), temporaryFolder(), pretendedCard()]);
    const [card, processor] = ["card", "processor"].map((name) => join(parent, name));
    const onCard = await trained([...args, "--engine", "tfjs", "--out", card], card, { FIVECROP_TFJS });
    expect(onCard.event).toMatchObject({ engine: "tfjs", device: "cuda", check: { device: "cuda", against: "cpu" } });
    expect(onCard.recorded).toEqual({ engine: "tfjs", device: "cuda" });
    const there = await trained([...args, "--engine", "tfjs", "--device", "cpu", "--out", processor], processor, { FIVECROP_TFJS });
    expect(there.event).toMatchObject({ device: "cpu", runtime: "@tensorflow/tfjs-node-gpu 4.22.0, which uses no graphics card" });
    expect(there.recorded).toEqual({ engine: "tfjs", device: "cpu" });
  }, 300_000);

  test("a run goes on where it was computed; on another engine its device does not matter; both are recorded", async () => {
    const [args, parent] = await Promise.all([quick(), temporaryFolder()]);
    const out = join(parent, "run");
    expect((await trained([...args, "--out", out], out, {})).recorded).toEqual({ engine: "onnxruntime", device: "cpu" });
    const file = join(out, "run.json");
    const about = JSON.parse(await readFile(file, "utf8"));
    await writeFile(file, JSON.stringify({ ...about, environment: { ...about.environment, device: "webgpu" } }));
    const resume = ["train", "--resume", out, "--data-dir", args[args.indexOf("--data-dir") + 1], "--no-report"];
    const there = await fivecrop(resume, { env: NO_ADAPTER });
    expect([there.code, there.stderr]).toEqual([1, expect.stringContaining("WebGPU is not to be had on this machine")]);
    expect((await trained([...resume, "--engine", "tfjs"], out, { FIVECROP_TFJS: HERE })).recorded).toEqual({
      engine: "tfjs",
      device: "cpu",
    });
    expect((await trained(resume, out, { FIVECROP_TFJS: await pretendedCard() })).recorded).toEqual({ engine: "tfjs", device: "cuda" });
    const back = await trained([...resume, "--engine", "onnxruntime"], out, {});
    expect([back.event, back.recorded]).toEqual([undefined, { engine: "onnxruntime", device: "cpu" }]);
  }, 600_000);
});
