import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { createSession } from "../../core/session.node.ts";
import { readMetadata } from "../../export/metadata.ts";
import { adopt } from "../../inference/adopt.ts";
import { loadClassifier } from "../../inference/classifier.node.ts";
import { verifyFile } from "../../inference/golden-samples.node.ts";
import { mean } from "../../inference/probabilities.ts";
import { PRETRAINED } from "../../models/pretrained.node.ts";
import { readImage } from "../../pipeline/decode.node.ts";
import { createImage } from "../../pipeline/image.ts";
import { PRESETS } from "../../pipeline/presets.ts";
import { parseViews, viewImage } from "../../pipeline/views.ts";
import { needPeers, runPython } from "../export/peers.ts";
import { needPhotos, photo, photos, shared } from "./photos.ts";

const file = PRETRAINED["squeezenet1.1-imagenet"];
const loaded = loadClassifier(file);
afterAll(async () => (await loaded).dispose());

const TABBY = "n02123045_tabby";
const THREE_SCALES = "multi-scale:256,288,320";

/** Shares of one photo's best classes, by Pillow, NumPy and onnxruntime in Python: in percent, to a tenth. */
const BEST: readonly (readonly [views: string, best: Readonly<Record<string, number>>])[] = [
  ["none", { "Egyptian Mau": 37.7, "tabby cat": 35.8 }],
  ["five-crop", { "tabby cat": 30.9, "Egyptian Mau": 27.7, "tiger cat": 11.1 }],
];

describe("the shipped model", () => {
  test("carries what it needs, and answers for any picture", async () => {
    const { labels, ...rest } = readMetadata(readFileSync(file))!;
    expect(labels).toHaveLength(1000);
    expect([labels[0], labels[281], labels[999]]).toEqual(["tench", "tabby cat", "toilet paper"]);
    expect(rest).toMatchObject({ preprocess: PRESETS.imagenet, outputKind: "logits", views: "none" });
    const { probabilities } = await (await loaded).classify(createImage(300, 200, 1));
    expect(probabilities.reduce((a, b) => a + b, 0)).toBeCloseTo(1, 5);
  });

  test("carries golden samples, and answers them as it did", async () => {
    const { samples, largestDifference, divergence } = await verifyFile(file);
    expect([samples, divergence]).toEqual([3, undefined]);
    expect(largestDifference).toBeLessThan(1e-5);
  });

  test("its licence's notice is beside it", () => {
    const notice = readFileSync(join(file, "../NOTICE"), "utf8");
    for (const said of ["SqueezeNet 1.1 of the ONNX Model Zoo", "Apache License, Version 2.0", "fivecrop adopt"])
      expect(notice).toContain(said);
  });

  test.skipIf(!needPhotos("the shipped model against the foreign file"))("is what adopt makes of the foreign file", async () => {
    const foreign = readFileSync(shared("models", "squeezenet1.1-imagenet.onnx"));
    const labels = JSON.parse(readFileSync(shared("models", "imagenet-labels.json"), "utf8"));
    const { metadata } = await adopt(foreign, createSession, { labels, preprocess: PRESETS.imagenet });
    const shipped = readFileSync(file);
    expect(shipped.subarray(0, foreign.length).equals(foreign)).toBe(true);
    expect({ ...readMetadata(shipped), createdBy: "", samples: undefined }).toEqual({ ...metadata, createdBy: "" });
  });
});

describe.skipIf(!needPhotos("the shipped model on photos"))("on photos", () => {
  test.each(BEST)("%s: the known shares of the tabby, to 0.1 points", async (views, best) => {
    const { predictions } = await (await loaded).classify(photo(TABBY), { views, top: Object.keys(best).length });
    expect(predictions.map(({ label }) => label)).toEqual(Object.keys(best));
    for (const { label, probability } of predictions) expect(Math.abs(100 * probability - best[label])).toBeLessThanOrEqual(0.1);
  });

  test("multi-scale: center crops of the picture at each size, averaged", async () => {
    const classifier = await loaded;
    const image = await readImage(photo("n09472597_volcano"));
    const together = await classifier.classify(image, { views: THREE_SCALES });
    expect(together.views.map(({ view }) => view)).toEqual([256, 288, 320].map((resize) => ({ anchor: "center", flip: false, resize })));
    const single = await loadClassifier(file, { preprocess: { ...PRESETS.imagenet, resize: 320 } });
    const alone = await single.classify(image);
    await single.dispose();
    together.views[2].probabilities.forEach((p, k) => {
      expect(p).toBeCloseTo(alone.probabilities[k], 6);
    });
    const average = mean(together.views.map(({ probabilities }) => Float64Array.from(probabilities)));
    together.probabilities.forEach((p, k) => {
      expect(p).toBeCloseTo(average[k], 6);
    });
    const [, at288] = parseViews(THREE_SCALES);
    expect(viewImage(image, at288, PRESETS.imagenet)).toMatchObject({ width: 224, height: 224, channels: 3 });
  });

  test("multi-scale:256 is none, whatever the photo; larger sizes look at less and differ", async () => {
    const classifier = await loaded;
    const some = photos().slice(0, 6);
    const [none, same, larger] = await Promise.all(
      ["none", "multi-scale:256", "multi-scale:320"].map((views) => classifier.classifyBatch(some, { views })),
    );
    for (const [i, { probabilities }] of none.entries()) {
      expect(same[i].probabilities).toEqual(probabilities);
      expect(larger[i].probabilities).not.toEqual(probabilities);
    }
  });
});

/** argv: model, photos… → a line a photo: for each choice of views, all probabilities in float64. */
const PYTHON = `
import json, sys
import numpy as np, onnxruntime as ort
from PIL import Image
session = ort.InferenceSession(sys.argv[1], providers=["CPUExecutionProvider"])
mean, std = (np.array(v, np.float32).reshape(3, 1, 1) for v in ([0.485, 0.456, 0.406], [0.229, 0.224, 0.225]))
def resized(image, size):
    w, h = image.size
    return image.resize((size, int(size * h / w)) if w <= h else (int(size * w / h), size), Image.BILINEAR)
def crops(image, five):
    w, h = image.size
    center = (round((w - 224) / 2), round((h - 224) / 2))
    corners = [(0, 0), (0, h - 224), (w - 224, h - 224), (w - 224, 0)] if five else []
    return [image.crop((x, y, x + 224, y + 224)) for x, y in [center, *corners]]
def probabilities(views):
    x = np.stack([(np.asarray(v, np.float32).transpose(2, 0, 1) / 255 - mean) / std for v in views])
    logits = session.run(None, {session.get_inputs()[0].name: x})[0].astype(np.float64)
    e = np.exp(logits - logits.max(1, keepdims=True))
    return (e / e.sum(1, keepdims=True)).mean(0)
for file in sys.argv[2:]:
    image = Image.open(file).convert("RGB")
    five = crops(resized(image, 256), True)
    mirrored = [v.transpose(Image.FLIP_LEFT_RIGHT) for v in five]
    scales = [crops(resized(image, s), False)[0] for s in (256, 288, 320)]
    rows = [probabilities(v) for v in (five[:1], five, five + mirrored, scales)]
    print(json.dumps([[round(float(p), 7) for p in row] for row in rows]))`;

const canCompare = needPhotos("photos against Python") && needPeers("photos against Python");
test.skipIf(!canCompare)("none, five-crop, ten-crop and multi-scale are Python's, within 0.001 points of every class", async () => {
  const files = photos().filter((_, i) => i % 3 === 1); // a third of them, tabby among them: Python's side takes a second each
  const python: number[][][] = runPython(PYTHON, file, ...files)
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));
  const classifier = await loaded;
  let worst = 0;
  for (const [k, views] of ["none", "five-crop", "ten-crop", THREE_SCALES].entries())
    for (const [i, { probabilities }] of (await classifier.classifyBatch(files, { views })).entries())
      worst = probabilities.reduce((most, p, c) => Math.max(most, Math.abs(p - python[i][k][c])), worst);
  console.log(`largest difference to Python: ${(100 * worst).toExponential(1)} percentage points`);
  expect(python).toHaveLength(files.length);
  expect(worst).toBeLessThan(1e-5);
});
