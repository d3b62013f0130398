import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { FivecropError } from "../../core/errors.ts";
import { createSession } from "../../core/session.node.ts";
import type { SessionMaker } from "../../core/session.ts";
import type { GoldenSample } from "../../export/golden-samples.ts";
import { appendMetadata, type ModelMetadata, readMetadata } from "../../export/metadata.ts";
import { exportSelfContained } from "../../inference/export-self-contained.node.ts";
import { makeSelfContained, withGoldenSamples } from "../../inference/golden-samples.node.ts";
import { createReplayer, STAGES } from "../../inference/replay.ts";
import { samplePictures } from "../../inference/sample-pictures.ts";
import { type StageName, type VerifySamplesOptions, verifySamples } from "../../inference/verify-samples.ts";
import { decodeImage } from "../../pipeline/decode.node.ts";
import { createImage, type Image } from "../../pipeline/image.ts";
import { metadata, model, picture, withMetadata } from "./models.ts";

const verify = (bytes: Uint8Array, options: Partial<VerifySamplesOptions> = {}) =>
  verifySamples(bytes, {
    createSession: (file) => createSession(file, { threads: 1 }),
    decode: (file, name) => decodeImage(file, name),
    ...options,
  });
const carrying = await withGoldenSamples(withMetadata(model()));
const golden = readMetadata(carrying)!;
const changed = (changes: Partial<ModelMetadata>) => appendMetadata(carrying, { ...golden, ...changes });
const withSample = (change: (sample: GoldenSample) => Partial<GoldenSample>) => {
  const { views, samples } = golden.samples!;
  return changed({ samples: { views, samples: samples.map((each, i) => (i === 1 ? { ...each, ...change(each) } : each)) } });
};

/** The picture with one of its pixels, in the middle, one level brighter or darker. */
function spoil(image: Image): Image {
  const data = image.data.slice();
  data[data.length >> 1] ^= 1;
  return createImage(image.width, image.height, image.channels, data);
}

describe("golden samples", () => {
  test("three pictures that depend on the seed alone", () => {
    expect(samplePictures().map(({ name }) => name)).toEqual(["shapes", "gradients", "noise"]);
    const [once, again, other] = [1, 1, 2].map((seed) => samplePictures(seed));
    for (const [i, { image }] of once.entries()) {
      expect(Buffer.compare(image.data, again[i].image.data)).toBe(0);
      expect(Buffer.compare(image.data, other[i].image.data)).not.toBe(0);
      expect(new Set(image.data).size).toBeGreaterThan(10);
    }
  });

  test("are small, and agree with the file that carries them", async () => {
    expect(carrying.length - withMetadata(model()).length).toBeLessThan(20_000);
    expect(await verify(carrying)).toEqual({ views: "five-crop", samples: 3, largestDifference: 0 });
  });

  test("follow the file's own views, and its fixed batch", async () => {
    const found = await verify(await withGoldenSamples(withMetadata(model(3), { views: "multi-scale:9,12" })));
    expect(found).toEqual({ views: "multi-scale:9,12", samples: 3, largestDifference: 0 });
  });

  test("a self-contained file has them too, and its graph is compared with the ordinary path", async () => {
    const { bytes, largestDifference } = await makeSelfContained(withMetadata(model()), { views: "ten-crop" });
    expect(largestDifference).toBeLessThan(0.02);
    expect(await verify(bytes)).toEqual({ views: "ten-crop", samples: 3, largestDifference: 0 });
    const other = appendMetadata(bytes, { ...readMetadata(bytes)!, samples: golden.samples });
    expect((await verify(other)).divergence?.stage).toBe("view");
  });
});

test("an output wider than the labels is refused, not cut off", async () => {
  const anyWidth: SessionMaker = async (file, options) => {
    const session = await createSession(file, options);
    return { ...session, outputs: session.outputs.map((port) => ({ ...port, shape: ["N", "K"] })) };
  };
  const replayer = await createReplayer(withMetadata(model(), { labels: ["a", "b", "c"] }), { createSession: anyWidth });
  await expect(replayer.replay(picture(0))).rejects.toThrow("its output is [1,4], 3 labels need [N,3]");
  await replayer.dispose();
});

test("a self-contained file has the temperature that was given, and answers by it", async () => {
  const folder = mkdtempSync(join(tmpdir(), "fivecrop-temperature-"));
  const [source, out] = [join(folder, "m.onnx"), join(folder, "out.onnx")];
  writeFileSync(source, withMetadata(model(), { temperature: 2 }));
  const temperatureOf = async (options: { readonly temperature?: number }) => {
    await exportSelfContained(source, { out, ...options });
    return readMetadata(readFileSync(out))?.temperature;
  };
  expect(await temperatureOf({ temperature: 5 })).toBe(5);
  expect(await temperatureOf({})).toBe(2);
  rmSync(folder, { recursive: true });
});

describe("what was tampered with is named", () => {
  const stageOf = async (bytes: Uint8Array, options?: Partial<VerifySamplesOptions>) => (await verify(bytes, options)).divergence?.stage;

  test.each<[StageName, string, Uint8Array]>([
    ["decode", "another picture", withSample(() => ({ file: golden.samples!.samples[0].file }))],
    ["decode", "a picture that is cut short", withSample(({ file }) => ({ file: file.slice(0, 400) }))],
    ["resize", "the filter", changed({ preprocess: { ...metadata.preprocess, filter: "bicubic" } })],
    ["view", "the list of views", changed({ samples: { ...golden.samples!, views: "ten-crop" } })],
    ["normalization", "the mean", changed({ preprocess: { ...metadata.preprocess, mean: [0.51] } })],
    ["normalization", "the deviation", changed({ preprocess: { ...metadata.preprocess, std: [0.26] } })],
    ["graph", "the kind of output", changed({ outputKind: "log-probabilities" })],
  ])("%s: %s", async (stage, _, bytes) => {
    expect(await stageOf(bytes)).toBe(stage);
  });

  test("graph: one weight", async () => {
    const bytes = carrying.slice();
    const weight = new Uint8Array(Float32Array.of(0.05).buffer);
    const at = bytes.findIndex((_, i) => weight.every((byte, k) => bytes[i + k] === byte));
    expect(at).toBeGreaterThan(0);
    bytes.set(new Uint8Array(Float32Array.of(3).buffer), at);
    const { divergence, largestDifference } = await verify(bytes);
    expect(divergence).toMatchObject({ stage: "graph", expected: "at most 0.0001", found: String(divergence?.found) });
    expect(largestDifference).toBeGreaterThan(1e-3);
  });

  test.each<[StageName, Partial<VerifySamplesOptions>]>([
    ["decode", { decode: async (file, name) => spoil(await decodeImage(file, name)) }],
    ["resize", { stages: { ...STAGES, resize: (...given) => spoil(STAGES.resize(...given)) } }],
    ["view", { stages: { ...STAGES, view: (...given) => spoil(STAGES.view(...given)) } }],
    [
      "normalization",
      {
        stages: {
          ...STAGES,
          normalize: (image, spec, out, offset) => {
            STAGES.normalize(image, spec, out, offset);
            out[5] += 1e-4;
          },
        },
      },
    ],
  ])("%s: another implementation of it, wrong in one number", async (stage, options) => {
    expect(await verify(carrying, options)).toMatchObject({ divergence: { stage, sample: "shapes" } });
  });

  test("graph: a device that is right for one picture and wrong for many", async () => {
    const wrongInBatches: SessionMaker = async (file) => {
      const session = await createSession(file, { threads: 1 });
      const run: typeof session.run = async (feeds, fetches) => {
        const results = await session.run(feeds, fetches);
        if (feeds.images.shape[0] > 1) (results.logits.data as Float32Array)[7] += 1; // the second picture's last class
        return results;
      };
      return { ...session, run };
    };
    expect((await verify(carrying, { createSession: wrongInBatches })).divergence).toBeUndefined();
    const { divergence } = await verify(carrying, { createSession: wrongInBatches, together: true });
    expect(divergence).toMatchObject({
      stage: "graph",
      sample: "shapes",
      found: expect.stringMatching(/^0\.\d+, all samples in one batch$/),
    });
  });

  test("the view that diverges is numbered", async () => {
    const view: typeof STAGES.view = (image, at, spec) =>
      (at.anchor === "lower-left" ? spoil : (same: Image) => same)(STAGES.view(image, at, spec));
    expect((await verify(carrying, { stages: { ...STAGES, view } })).divergence).toMatchObject({ stage: "view", view: 2 });
  });
});

describe("refused", () => {
  test.each<[string, Uint8Array, string]>([
    [
      "a file without samples",
      withMetadata(model()),
      "the model carries no golden samples: expected at least one, found none. To fix: export it again",
    ],
    ["no base64", withSample(() => ({ probabilities: "…" })), "sample 'gradients': its probabilities cannot be read"],
    ["probabilities of another model", withSample(() => ({ probabilities: "AAAAAA==" })), "has 1 probabilities, expected 4, one a class"],
  ])("%s", async (_, bytes, message) => {
    await expect(verify(bytes)).rejects.toThrow(message);
    await expect(verify(bytes)).rejects.toBeInstanceOf(FivecropError);
  });
});
