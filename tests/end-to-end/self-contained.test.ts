import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { createSession as createWasmSession } from "../../core/session.browser.ts";
import { createSession } from "../../core/session.node.ts";
import type { SessionMaker } from "../../core/session.ts";
import { tensor } from "../../core/tensor.ts";
import type { ModelMetadata } from "../../export/metadata.ts";
import { selfContained } from "../../export/self-contained.ts";
import { loadClassifier } from "../../inference/classifier.node.ts";
import { readImage } from "../../pipeline/decode.node.ts";
import { withChannels } from "../../pipeline/image.ts";
import { needPeers, runPython } from "../export/peers.ts";

const SHARED = join(import.meta.dirname, "../../../shared");
const PHOTOS = join(SHARED, "data/photos");
const MODEL = join(SHARED, "models/squeezenet1.1-imagenet.onnx");
const present = existsSync(PHOTOS) && existsSync(MODEL);
if (!present) console.log("skipped: self-contained SqueezeNet on photos (no ../shared/data/photos or ../shared/models)");

describe.skipIf(!present)("SqueezeNet on photos", () => {
  const folder = mkdtempSync(join(tmpdir(), "fivecrop-self-contained-"));
  afterAll(() => rmSync(folder, { recursive: true }));
  const photos = present ? readdirSync(PHOTOS).map((file) => join(PHOTOS, file)) : [];
  const model = present ? new Uint8Array(readFileSync(MODEL)) : new Uint8Array();
  const metadata: ModelMetadata = {
    labels: present ? JSON.parse(readFileSync(join(SHARED, "models/imagenet-labels.json"), "utf8")) : [],
    preprocess: { resize: 256, filter: "bilinear", crop: [224, 224], channels: 3, mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] },
    outputKind: "logits",
  };

  async function answers(views: string, files: readonly string[], make: SessionMaker): Promise<Float32Array[]> {
    const session = await make(selfContained(model, { metadata, views }));
    const found: Float32Array[] = [];
    for (const file of files) {
      const { width, height, data } = withChannels(await readImage(file), 3);
      const { probabilities } = await session.run({ pictures: tensor("uint8", [1, height, width, 3], data) });
      found.push(probabilities.data as Float32Array);
    }
    await session.dispose();
    return found;
  }

  async function ordinary(views: string, files: readonly string[]): Promise<Float32Array[]> {
    const classifier = await loadClassifier(model, metadata);
    const found = await classifier.classifyBatch(files, { views });
    await classifier.dispose();
    return found.map(({ probabilities }) => probabilities);
  }

  /** In percentage points. */
  const difference = (a: readonly Float32Array[], b: readonly Float32Array[]): number =>
    Math.max(...a.map((row, i) => row.reduce((worst, p, k) => Math.max(worst, 100 * Math.abs(p - b[i][k])), 0)));

  test.each(["none", "five-crop"])("%s: within 0.1 percentage points of the ordinary path, in Node and in wasm", async (views) => {
    const node = await answers(views, photos, createSession);
    expect(node).toHaveLength(24);
    expect(difference(node, await ordinary(views, photos))).toBeLessThan(0.1);
    const some = photos.slice(0, 6);
    expect(difference(await answers(views, some, createWasmSession), node.slice(0, 6))).toBeLessThan(1e-3);
  });

  test.skipIf(!needPeers("the README's Python example"))("the README's Python example gets the ordinary path's answers", async () => {
    const readme = readFileSync(join(import.meta.dirname, "../../README.md"), "utf8");
    const script = /```python\n([\s\S]*?)```/.exec(readme)?.[1] ?? "";
    const file = join(folder, "squeezenet-whole.onnx");
    writeFileSync(file, selfContained(model, { metadata, views: "five-crop" }));
    const some = photos.filter((photo) => /tabby|goldfish|pizza/.test(photo));
    const lines = runPython(script.replace("squeezenet-whole.onnx", file), ...some)
      .trim()
      .split("\n");
    expect(lines).toHaveLength(9);
    const expected = await ordinary("five-crop", some);
    for (const [i, line] of lines.entries()) {
      const [, photo, label, percent] = /^(.*): (.*) ([\d.]+) %$/.exec(line) ?? [];
      expect(photo).toBe(some[Math.floor(i / 3)]);
      const probability = expected[Math.floor(i / 3)][metadata.labels.indexOf(label)];
      expect(Math.abs(Number(percent) - 100 * probability), line).toBeLessThan(0.15); // 0.1, and the printed digit's half
    }
  });
});
