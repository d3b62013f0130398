import { execFile } from "node:child_process";
import { linkSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import sharp from "sharp";
import { afterAll, expect, test } from "vitest";
import { setWeights } from "../../export/export-onnx.ts";
import { appendMetadata } from "../../export/metadata.ts";
import { serialize } from "../../export/serialize.ts";
import { flatten, linear, sequential } from "../../models/layers/index.ts";
import { initialParameters, network } from "../../models/network.ts";

const DIST = resolve(import.meta.dirname, "../../dist");
const folder = mkdtempSync(join(tmpdir(), "fivecrop-many-"));
afterAll(() => rmSync(folder, { recursive: true }));

const COUNT = 20_000;
const BAD = 12_345;
const SIDE = 64;

function writeModel(file: string): void {
  const net = network("flat", sequential({ flatten, fc: linear(10) }), { input: [3, SIDE, SIDE] });
  const third = [0.5, 0.5, 0.5];
  const preprocess = { resize: SIDE, filter: "bilinear", crop: [SIDE, SIDE], channels: 3, mean: third, std: third } as const;
  const labels = Array.from({ length: 10 }, (_, i) => `class ${i}`);
  const bytes = serialize(setWeights(net.graph, initialParameters(net, 0)));
  writeFileSync(file, appendMetadata(bytes, { labels, preprocess, outputKind: "logits" }));
}

test("20,000 pictures with five views each, 4.9 GB of numbers, under 1 GB of memory: in order, the bad one skipped", async () => {
  writeModel(join(folder, "m.onnx"));
  const pictures = join(folder, "pictures");
  mkdirSync(pictures);
  const pixels = Uint8Array.from({ length: SIDE * SIDE * 3 }, (_, i) => (i * 7919) % 251);
  const good = join(folder, "good.jpg");
  await sharp(pixels, { raw: { width: SIDE, height: SIDE, channels: 3 } })
    .jpeg()
    .toFile(good);
  for (let i = 0; i < COUNT; i++) {
    const file = join(pictures, `${String(i).padStart(5, "0")}.jpg`);
    if (i === BAD) writeFileSync(file, "no picture");
    else linkSync(good, file);
  }
  const child = join(import.meta.dirname, "many-files.child.mjs");
  const { stdout } = await promisify(execFile)(process.execPath, [child, DIST, join(folder, "m.onnx"), pictures, "five-crop"]);
  const { megabytes, ...counts } = JSON.parse(stdout);
  console.log(`peak of resident memory: ${Math.round(megabytes)} MB`);
  expect(counts).toEqual({ answered: COUNT - 1, failed: 1, inOrder: true });
  expect(megabytes).toBeLessThan(1000);
});
