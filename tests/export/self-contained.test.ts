import { afterAll, describe, expect, test } from "vitest";
import { createSession as createWasmSession } from "../../core/session.browser.ts";
import { createSession } from "../../core/session.node.ts";
import type { Session, SessionMaker } from "../../core/session.ts";
import { float32, tensor } from "../../core/tensor.ts";
import { readMetadata } from "../../export/metadata.ts";
import { type SelfContainedOptions, selfContained } from "../../export/self-contained.ts";
import { serialize } from "../../export/serialize.ts";
import { adopt } from "../../inference/adopt.ts";
import { type Classifier, createClassifier } from "../../inference/classifier.ts";
import { graphBuilder } from "../../models/ops/index.ts";
import { createImage, type Image } from "../../pipeline/image.ts";
import type { PreprocessSpec } from "../../pipeline/preprocess.ts";
import { HERE, metadata, model, picture, SIDE, withMetadata } from "../inference/models.ts";

type Changes = Partial<SelfContainedOptions["metadata"]>;
const { preprocess: spec } = metadata;
const wrap = (bytes: Uint8Array, changes: Changes = {}, views?: string) =>
  selfContained(bytes, { metadata: { ...metadata, ...changes }, views });

const sessions = new Map<Uint8Array, Promise<Session>>();
const classifiers = new Map<string, Promise<Classifier>>();
afterAll(async () => {
  for (const each of [...sessions.values(), ...classifiers.values()]) await (await each).dispose();
});

/** The map's value for a key, made where there is none. */
function kept<K, V>(map: Map<K, V>, key: K, make: () => V): V {
  const value = map.get(key) ?? make();
  map.set(key, value);
  return value;
}

const onOneThread: SessionMaker = (bytes) => createSession(bytes, { threads: 1 });

/** What a self-contained file answers for pictures of one size. */
async function answers(file: Uint8Array, images: readonly Image[], make: SessionMaker = onOneThread): Promise<number[][]> {
  const session = await (make === onOneThread ? kept(sessions, file, () => make(file)) : make(file));
  const [{ width, height, channels }] = images;
  const data = Uint8Array.from(images.flatMap((image) => [...image.data]));
  const { probabilities } = await session.run({ pictures: tensor("uint8", [images.length, height, width, channels], data) });
  const classes = probabilities.shape[1];
  expect(probabilities.shape).toEqual([images.length, classes]);
  const all = [...(probabilities.data as Float32Array)];
  return images.map((_, i) => all.slice(i * classes, (i + 1) * classes));
}

/** What the ordinary path answers. */
async function ordinary(bytes: Uint8Array, images: readonly Image[], changes: Changes, views: string): Promise<number[][]> {
  const classifier = await kept(classifiers, `${bytes.length} ${JSON.stringify(changes)}`, () =>
    createClassifier(withMetadata(bytes, changes), { ...HERE, createSession: onOneThread }),
  );
  return (await classifier.classifyBatch(images, { views })).map(({ probabilities }) => [...probabilities]);
}

function largestDifference(a: readonly number[][], b: readonly number[][]): number {
  expect(a.length).toBe(b.length);
  return Math.max(...a.flatMap((row, i) => row.map((p, k) => Math.abs(p - b[i][k]))));
}

describe("its answers are the ordinary path's", () => {
  const SIZES = [
    [12, 10],
    [10, 12],
    [31, 9],
    [8, 8],
    [5, 7],
    [3, 20],
  ] as const;
  const VIEWS = ["none", "flip", "five-crop", "ten-crop", "multi-scale:6,9,13"];
  const RESIZES: readonly PreprocessSpec["resize"][] = [null, 11, 5, [9, 13], [7, 6]];

  test.each(VIEWS)("%s, nearest: every size, crops and borders to the pixel", async (views) => {
    for (const resize of RESIZES) {
      const changes = { preprocess: { ...spec, resize, filter: "nearest" as const } };
      const file = wrap(model(), changes, views);
      for (const [width, height] of SIZES) {
        const images = [picture(0, 1, width, height), picture(3, 2, width, height)];
        const difference = largestDifference(await answers(file, images), await ordinary(model(), images, changes, views));
        expect(difference, `resize ${resize}, ${width}×${height}`).toBeLessThan(1e-6);
      }
    }
  });

  test.each(["bilinear", "bicubic"] as const)("%s: pixels within a level or two", async (filter) => {
    const changes = { preprocess: { ...spec, resize: 11, filter } };
    const file = wrap(model(), changes, "ten-crop");
    for (const [width, height] of [...SIZES, [97, 41]] as const) {
      const images = [picture(1, 3, width, height)];
      expect(largestDifference(await answers(file, images), await ordinary(model(), images, changes, "ten-crop"))).toBeLessThan(0.02);
    }
  });

  test.each([
    ["Softmax", "probabilities"],
    ["LogSoftmax", "log-probabilities"],
  ] as const)("of a model that ends in %s", async (last, outputKind) => {
    for (const views of ["none", "five-crop"]) {
      const images = [picture(2, 4, SIDE, SIDE)];
      const file = wrap(model("N", last), { outputKind, preprocess: { ...spec, resize: null } }, views);
      const expected = await ordinary(model(), images, { preprocess: { ...spec, resize: null } }, views);
      expect(largestDifference(await answers(file, images), expected)).toBeLessThan(views === "none" ? 1e-6 : 0.02);
    }
  });

  test("of a colour model whose values have the names that are written around it", async () => {
    const g = graphBuilder();
    const pictures = g.input("pictures", "float32", ["N", 3, SIDE, SIDE]);
    const means = g.add("Flatten", [g.add("GlobalAveragePool", [pictures], {}, "fivecrop/Div")], {}, "network/pictures");
    const weight = g.initializer("fivecrop/constant", float32([1, 2, 3, -3, 0, 1], [3, 2]));
    const bytes = serialize(g.build("colours", [g.add("MatMul", [means, weight], {}, "probabilities")]));
    const changes = {
      labels: ["a", "b"],
      preprocess: { ...spec, resize: null, channels: 3, mean: [0.1, 0.5, 0.6], std: [1, 0.5, 0.3] } as const,
    };
    const images = [0, 1].map((k) =>
      createImage(
        8,
        8,
        3,
        Uint8Array.from({ length: 192 }, (_, i) => (i % 3) * 60 + k * 90),
      ),
    );
    const found = await answers(wrap(bytes, changes), images);
    expect(largestDifference(found, await ordinary(bytes, images, changes, "none"))).toBeLessThan(1e-6);
    expect(found[0]).not.toEqual(found[1]);
  });

  test("in WebAssembly as in Node", async () => {
    const images = [picture(1, 5, 23, 40)];
    const file = wrap(model(), { preprocess: { ...spec, resize: 11 } }, "five-crop");
    expect(largestDifference(await answers(file, images, createWasmSession), await answers(file, images))).toBeLessThan(1e-6);
  });
});

test("its metadata says what it does, and that it is done", () => {
  expect(readMetadata(wrap(model(), { views: "flip" }))).toEqual({
    ...metadata,
    views: "flip",
    outputKind: "probabilities",
    selfContained: true,
  });
  expect(readMetadata(wrap(model(), { views: "flip" }, "ten-crop"))?.views).toBe("ten-crop");
});

describe("refused", () => {
  test.each<[string, () => Uint8Array, string]>([
    [
      "a fixed batch",
      () => wrap(model(2)),
      "the model: its input 'images' is float32[2,1,8,8], expected float32[N,1,8,8]. To fix: export it with a free batch",
    ],
    [
      "other labels",
      () => wrap(model(), { labels: ["a"] }),
      "its output 'logits' is float32[N,4], expected float32[N,1]. To fix: give a label for each class",
    ],
    ["unknown views", () => wrap(model(), {}, "six-crop"), "unknown views 'six-crop'"],
    ["itself", () => selfContained(wrap(model()), { metadata: readMetadata(wrap(model()))! }), "self-contained already"],
    ["no model", () => wrap(new Uint8Array(9)), "is no ONNX model"],
  ])("%s", (_, make, message) => expect(make).toThrow(message));

  test("it is not adopted a second time", async () => {
    await expect(adopt(wrap(model()), createSession, { name: "whole.onnx" })).rejects.toThrow(
      "whole.onnx is self-contained: its graph takes whole pictures, uint8 [N,H,W,1], and averages over none itself",
    );
  });
});
