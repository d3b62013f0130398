import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import sharp from "sharp";
import { beforeAll, describe, expect, test } from "vitest";
import { readImage } from "../../pipeline/decode.node.ts";
import { viewImage } from "../../pipeline/views.ts";
import { colourModel, colourPreprocess } from "../inference/models.ts";
import { fivecrop, jsonLines, temporaryFolder } from "./run.ts";

const [WIDTH, HEIGHT] = [400, 300];
let folder: string;

/** Waves that a reduction does not keep exactly, brighter on the left. */
const scene = (period: number) => {
  const data = new Uint8Array(WIDTH * HEIGHT * 3);
  for (let i = 0; i < data.length; i++)
    data[i] = 150 + 70 * Math.sin((i % (3 * WIDTH)) / period) + 20 * Math.cos(i / 977) - (i % (3 * WIDTH)) / 20;
  return sharp(data, { raw: { width: WIDTH, height: HEIGHT, channels: 3 } });
};

beforeAll(async () => {
  folder = await temporaryFolder();
  await mkdir(join(folder, "photos"));
  for (let i = 0; i < 20; i++)
    await scene(60 + 9 * i)
      .jpeg({ quality: 90 })
      .toFile(join(folder, "photos", `${String(i).padStart(2, "0")}.jpg`));
  await scene(50).png().toFile(join(folder, "whole.png"));
  await scene(50).jpeg().toFile(join(folder, "one.jpg"));
  await writeFile(join(folder, "model.onnx"), colourModel());
});

const infer = (...args: readonly string[]) => fivecrop(["infer", ...args, "--model", "model.onnx"], { cwd: folder });

interface Answer {
  readonly predictions: readonly { readonly probability: number }[];
  readonly shrinkOnLoad?: { readonly reduced: boolean; readonly largestDifference: number; readonly otherBest: boolean };
}
const answers = async (...args: readonly string[]): Promise<Answer[]> => {
  const { code, stdout, stderr } = await infer(...args, "--json");
  expect([code, stderr]).toEqual([0, ""]);
  return jsonLines(stdout) as unknown as Answer[];
};

describe.concurrent("infer --shrink-on-load", () => {
  test("one picture: by how much its probabilities moved is the difference from the exact answer", async () => {
    const [exact] = await answers("one.jpg");
    const [shrunk] = await answers("one.jpg", "--shrink-on-load");
    const moved = Math.abs(exact.predictions[0].probability - shrunk.predictions[0].probability);
    expect(exact.shrinkOnLoad).toBeUndefined();
    expect(shrunk.shrinkOnLoad).toMatchObject({ reduced: true, otherBest: false });
    expect(shrunk.shrinkOnLoad!.largestDifference).toBeGreaterThanOrEqual(moved - 1e-7);
    expect(shrunk.shrinkOnLoad!.largestDifference).toBeGreaterThan(0);
    expect(shrunk.shrinkOnLoad!.largestDifference).toBeLessThan(0.02);
  });

  test("a folder, in threads: the first 16 are measured, and the last line sums up", async () => {
    const lines = await answers("photos", "--shrink-on-load");
    expect(lines.map(({ shrinkOnLoad }) => shrinkOnLoad?.reduced)).toEqual([...Array(16).fill(true), ...Array(4).fill(undefined)]);
    const worst = Math.max(...lines.flatMap(({ shrinkOnLoad }) => shrinkOnLoad?.largestDifference ?? []));
    const { stdout } = await infer("photos", "--shrink-on-load");
    expect(stdout.trimEnd().split("\n").at(-1)).toBe(
      `--shrink-on-load: of the first 16 pictures, 16 read at a reduced size; probabilities moved by up to ${(100 * worst).toFixed(2)} percentage points, the best class of none changed`,
    );
  });

  test("other formats stay whole", async () => {
    const { stdout } = await infer("whole.png", "--shrink-on-load");
    expect(stdout).toContain("\n--shrink-on-load: of 1 picture, 0 read at a reduced size; no probability moved\n");
  });

  test("--save-views shows the pixels that the model saw", async () => {
    const { code } = await infer("one.jpg", "--shrink-on-load", "--save-views", "views");
    expect(code).toBe(0);
    const seen = async (shrinkOnLoad?: number) =>
      viewImage(await readImage(join(folder, "one.jpg"), { shrinkOnLoad }), { anchor: "center", flip: false }, colourPreprocess).data;
    const { data } = await readImage(join(folder, "views", "one.center.png"));
    expect(data).toEqual(await seen(8));
    expect(data).not.toEqual(await seen());
  });
});

test("a crop in the picture's own size needs all of it", async () => {
  const { loadClassifier } = await import("../../inference/classifier.node.ts");
  const preprocess = { ...colourPreprocess, resize: null };
  const classify = async (shrinkOnLoad: boolean) => {
    const classifier = await loadClassifier(join(folder, "model.onnx"), { preprocess, workers: 0, shrinkOnLoad });
    const { probabilities } = await classifier.classify(join(folder, "one.jpg"));
    await classifier.dispose();
    return probabilities;
  };
  expect(await classify(true)).toEqual(await classify(false));
});
