import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeAll, expect, test } from "vitest";
import { npmBrowser } from "../../core/chromium.node.ts";
import { makeSelfContained, withGoldenSamples } from "../../inference/golden-samples.node.ts";
import { fivecrop, jsonLines, temporaryFolder } from "../cli/run.ts";
import { model, withMetadata } from "../inference/models.ts";
import { withWrongSamples } from "./spoiled.ts";

const cwd = await temporaryFolder();
let env: Readonly<Record<string, string>>;

beforeAll(async () => {
  const carrying = await withGoldenSamples(withMetadata(model()));
  await writeFile(join(cwd, "m.onnx"), carrying);
  await writeFile(join(cwd, "wrong.onnx"), withWrongSamples(carrying));
  await writeFile(join(cwd, "whole.onnx"), (await makeSelfContained(carrying)).bytes);
  await writeFile(join(cwd, "bare.onnx"), withMetadata(model()));
  const program = await npmBrowser();
  if (!program)
    console.log("verify --browser takes whichever browser is installed, with its own adapter: npm's Chromium runs on Linux x64");
  env = program
    ? {
        CHROME: program.executable,
        CHROME_FLAGS: [...program.args, ...program.webgpu].join(" "),
        LD_LIBRARY_PATH: program.env.LD_LIBRARY_PATH ?? "",
      }
    : {};
});

const verify = (args: readonly string[], more: Readonly<Record<string, string>> = {}) =>
  fivecrop(["verify", ...args, "--browser"], { cwd, env: { ...env, ...more } });

test("each device, in Node and in the browser", async () => {
  const { code, stdout, stderr } = await verify(["m.onnx", "--device", "cpu,wasm,webgpu", "--json"]);
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  const found = jsonLines(stdout);
  expect(found.map(({ device }) => device)).toEqual(["cpu", "wasm", "webgpu"]);
  expect(found[0]).not.toHaveProperty("browser");
  for (const { browser } of found.slice(1)) expect(browser).toMatch(/^Chrome \d+$/);
  for (const { samples, largestDifference } of found) {
    expect(samples).toBe(3);
    expect(largestDifference).toBeLessThan(1e-5);
  }
});

test("without --device it is wasm", async () => {
  const { code, stdout, stderr } = await verify(["m.onnx"]);
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  expect(stdout).toMatch(
    /^m\.onnx: 3 golden samples, five-crop, on wasm in Chrome \d+\n {2}largest difference of a probability: \S+\n {2}every stage agrees\n$/,
  );
});

test("a disagreement is numbered, and its stage is named", async () => {
  const { code, stdout } = await verify(["wrong.onnx"]);
  expect(code).toBe(1);
  expect(stdout).toMatch(/ {2}first stage that diverges: graph \(shapes\): expected at most 0\.0001, found 0\.\d+\n$/);
});

test("a self-contained file: on wasm, and why not on WebGPU", async () => {
  const { code, stdout, stderr } = await verify(["whole.onnx", "--device", "wasm,webgpu"]);
  expect(code).toBe(1);
  expect(stdout).toContain("on wasm in Chrome");
  expect(stderr).toContain("fivecrop: webgpu: whole.onnx is self-contained");
});

test.each<[string, readonly string[], Readonly<Record<string, string>>, string]>([
  ["a file without samples", ["bare.onnx"], {}, "bare.onnx carries no golden samples"],
  [
    "a browser that is not there",
    ["m.onnx"],
    { CHROME: "/nowhere/chrome" },
    "CHROME: expected a program, found nothing at /nowhere/chrome.",
  ],
  ["a browser that is none", ["m.onnx"], { CHROME: process.execPath, CHROME_FLAGS: "--version" }, "has ended (exit code"],
])("%s is said, with exit code 1", async (_, args, more, message) => {
  const { code, stdout, stderr } = await verify(args, more);
  expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
  expect(stderr).toMatch(/^fivecrop: .+\n$/);
  expect(stderr).toContain(message);
});
