import { readFile, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { fivecrop, temporaryFolder } from "../cli/run.ts";
import { model, withMetadata } from "../inference/models.ts";

describe("fivecrop demo", () => {
  test("--build writes all that a static host needs", async () => {
    const cwd = await temporaryFolder();
    const bytes = withMetadata(model(), { architecture: "halves", training: { dataset: "noise" } });
    await writeFile(join(cwd, "my model.onnx"), bytes);
    const { code, stdout, stderr } = await fivecrop(["demo", "--model", "my model.onnx", "--build", "site"], { cwd });
    expect([code, stderr]).toEqual([0, ""]);
    expect(stdout).toContain("halves, trained on noise");
    const [offered] = JSON.parse(await readFile(join(cwd, "site/models.json"), "utf8"));
    expect(offered).toMatchObject({ name: "halves, trained on noise", bytes: bytes.length });
    expect(offered.url).toMatch(/^models\/[0-9a-f]{12}\/my_model\.onnx$/);
    expect(new Uint8Array(await readFile(join(cwd, "site", offered.url)))).toEqual(bytes);
    const worker = await readFile(join(cwd, "site/service-worker.js"), "utf8");
    const { files } = JSON.parse(/^const SHELL = (.+);$/m.exec(worker)![1]);
    const backbone = JSON.parse(await readFile(join(cwd, "site/backbone.json"), "utf8"));
    expect(backbone.url).toMatch(/^backbones\/[0-9a-f]{12}\/mobilenetv2-imagenet-headless\.onnx$/);
    expect((await readFile(join(cwd, "site", backbone.url))).length).toBe(backbone.bytes);
    expect(files).toContain("backbone.json");
    for (const file of [
      "index.html",
      "page.js",
      "worker.js",
      "style.css",
      "own.js",
      "own-worker.js",
      "own.css",
      "mozjpeg_dec.wasm",
      "runtime/ort-wasm-simd-threaded.wasm",
    ]) {
      expect(files).toContain(file);
      expect((await readFile(join(cwd, "site", file))).length).toBeGreaterThan(100);
    }
  });

  test("a model that the page could not use, a missing one, and a port in use are said", async () => {
    const cwd = await temporaryFolder();
    await writeFile(join(cwd, "bare.onnx"), model());
    await writeFile(join(cwd, "text.onnx"), "hello");
    const bare = await fivecrop(["demo", "--model", "bare.onnx", "--port", "0"], { cwd });
    expect([bare.code, bare.stderr]).toEqual([2, expect.stringContaining("bare.onnx carries no fivecrop metadata")]);
    const text = await fivecrop(["demo", "--model", "text.onnx", "--port", "0"], { cwd });
    expect([text.code, text.stderr]).toEqual([1, expect.stringContaining("text.onnx: no ONNX model")]);
    const missing = await fivecrop(["demo", "--model", "none.onnx", "--port", "0"], { cwd });
    expect([missing.code, missing.stderr]).toEqual([1, expect.stringContaining("cannot read the model none.onnx")]);
    const other = createServer().listen(0, "127.0.0.1");
    await new Promise((listening) => other.once("listening", listening));
    const port = String((other.address() as AddressInfo).port);
    const busy = await fivecrop(["demo", "--port", port], { cwd });
    other.close();
    expect([busy.code, busy.stderr]).toEqual([
      1,
      `fivecrop: cannot listen on port ${port}: it is in use. To fix: --port 0 takes a free one.\n`,
    ]);
  });
});
