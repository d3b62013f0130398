import { cp, mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import sharp from "sharp";
import { beforeAll, describe, expect, test } from "vitest";
import { random } from "../../core/random.ts";
import { readMetadata } from "../../export/metadata.ts";
import { parse } from "../../export/parse.ts";
import { loadClassifier } from "../../inference/classifier.node.ts";
import { readImage } from "../../pipeline/decode.node.ts";
import { PRESETS } from "../../pipeline/presets.ts";
import { fivecrop, jsonLines, temporaryFolder } from "../cli/run.ts";
import { needFile } from "../needs.ts";
import { RUN_LEFT } from "./run.ts";

const SHAPES = {
  "blue disc": ["#2040d0", "circle"],
  "green disc": ["#20a030", "circle"],
  "green square": ["#20a030", "rect"],
  "red square": ["#d02020", "rect"],
} as const;

/** A coloured shape, anywhere and of any size, on a gray of its own. */
function drawing([colour, shape]: readonly [colour: string, shape: string], seed: number): string {
  const noise = random(seed).fork("shape");
  const [width, height] = [240 + noise.integer(120), 240 + noise.integer(120)];
  const radius = 50 + noise.integer(50);
  const [x, y] = [width / 2 + noise.integer(40) - 20, height / 2 + noise.integer(40) - 20];
  const gray = 90 + noise.integer(130);
  const form =
    shape === "circle"
      ? `<circle cx="${x}" cy="${y}" r="${radius}" fill="${colour}"/>`
      : `<rect x="${x - radius}" y="${y - radius}" width="${2 * radius}" height="${2 * radius}" fill="${colour}"/>`;
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}"><rect width="100%" height="100%" fill="rgb(${gray},${gray},${gray})"/>${form}</svg>`;
}

async function writeShapes(folder: string, names: readonly (keyof typeof SHAPES)[], each: number, from: number): Promise<void> {
  for (const [c, name] of names.entries()) {
    await mkdir(join(folder, name), { recursive: true });
    for (let i = 0; i < each; i++)
      await sharp(Buffer.from(drawing(SHAPES[name], from + 1000 * c + i)))
        .jpeg()
        .toFile(join(folder, name, `${i}.jpg`));
  }
}

const ALL = Object.keys(SHAPES) as (keyof typeof SHAPES)[];

let cwd: string;
beforeAll(async () => {
  cwd = await temporaryFolder();
});
const run = (...args: readonly string[]) => fivecrop(args, { cwd, env: { XDG_CACHE_HOME: join(cwd, "cache") } });

describe("a folder of coloured shapes, one line", () => {
  let out = "";
  beforeAll(async () => {
    await writeShapes(join(cwd, "shapes/train"), ALL, 8, 0);
    await writeShapes(join(cwd, "shapes/test"), ALL, 25, 500);
    await writeFile(join(cwd, "shapes/train/red square/broken.jpg"), "no picture");
    const { code, stdout, stderr } = await run("train", "--data", "folder:shapes");
    expect(code, stderr).toBe(0);
    expect(stderr).toContain("train: 1 of 33 pictures cannot be read and are left out:");
    out = stdout;
  });

  test("at least 99 % of its test pictures are right, and it says what to do next", async () => {
    for (const said of [
      "4 classes; 26 images to train on in 10 views each, 6 to validate on",
      "probabilities within",
      "infer PICTURE… --model runs/mobilenetv2-features-shapes/model.onnx --tta five-crop",
    ])
      expect(out).toContain(said);
    const { top1, images } = JSON.parse(await readFile(join(cwd, "runs/mobilenetv2-features-shapes/evaluation.json"), "utf8"));
    expect(images).toBe(100);
    expect(top1).toBeGreaterThanOrEqual(0.99);
  });

  test("leaves one file that takes pictures and answers with labels, and the run's others", async () => {
    const folder = join(cwd, "runs/mobilenetv2-features-shapes");
    const found = (await readdir(folder)).sort();
    // six validation images may all be right: then no temperature is best, which is said
    expect(found).toEqual(out.includes("not calibrated") ? RUN_LEFT : [...RUN_LEFT, "calibration.json"].sort());
    expect(out).toMatch(/model\.onnx: temperature| not calibrated: no temperature/);
    const bytes = await readFile(join(folder, "model.onnx"));
    const { inputs, outputs } = parse(bytes);
    expect([inputs[0].shape, outputs[0].shape]).toEqual([
      ["N", 3, 224, 224],
      ["N", 4],
    ]);
    expect(readMetadata(bytes)).toMatchObject({ labels: ALL, preprocess: PRESETS.imagenet, parameters: 1281 * 4, outputKind: "logits" });
    const picture = join(cwd, "shapes/test/green disc/3.jpg");
    const { stdout } = await run("infer", picture, "--model", join(folder, "model.onnx"), "--tta", "five-crop", "--json");
    expect(JSON.parse(stdout).predictions[0].label).toBe("green disc");
    expect((await run("verify", join(folder, "model.onnx"))).stdout).toContain("every stage agrees");
  });

  test("says why: the heat map behind its normalized head lies on the shape, and not on the ground", async () => {
    const model = join(cwd, "runs/mobilenetv2-features-shapes/model.onnx");
    const picture = join(cwd, "corner.jpg");
    const disc = `<circle cx="70" cy="70" r="60" fill="${SHAPES["blue disc"][0]}"/>`;
    const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="256" height="256"><rect width="100%" height="100%" fill="#999"/>${disc}</svg>`;
    await sharp(Buffer.from(svg)).jpeg({ quality: 95 }).toFile(picture);
    const { code, stdout, stderr } = await run("infer", picture, "--model", model, "--explain", "--json");
    expect(code, stderr).toBe(0);
    const { predictions, explanation: written } = JSON.parse(stdout);
    expect([predictions[0].label, written.label]).toEqual(["blue disc", "blue disc"]);
    const shown = await readImage(join(cwd, "corner.explain.png"));
    expect([shown.width, shown.height, shown.channels]).toEqual([256, 256, 3]);
    const classifier = await loadClassifier(await readFile(model));
    const { explanation } = await classifier.classify(await readFile(picture), { explain: true });
    await classifier.dispose();
    const { data, width } = explanation!;
    const mean = (x: number, y: number): number => {
      let sum = 0;
      for (let row = y; row < y + 60; row++) for (let column = x; column < x + 60; column++) sum += data[row * width + column];
      return sum / 3600;
    };
    const [onShape, ...elsewhere] = [mean(40, 40), mean(170, 40), mean(40, 170), mean(170, 170)];
    expect(Math.max(...data)).toBe(1);
    for (const other of elsewhere) expect(onShape).toBeGreaterThan(2 * other);
  });

  test("run again it finds its features and ends in the same weights; it can be resumed, reported and exported", async () => {
    const again = await run("train", "--data", "folder:shapes", "--out", "again", "--no-report", "--json");
    expect(again.code, again.stderr).toBe(0);
    const events = jsonLines(again.stdout);
    expect(events.filter(({ kind }) => kind === "features")).toEqual([]);
    const first = await readFile(join(cwd, "runs/mobilenetv2-features-shapes/best.safetensors"));
    const tensors = (file: Buffer): Buffer => file.subarray(8 + Number(file.readBigUInt64LE(0))); // behind the header, which holds times
    expect(tensors(await readFile(join(cwd, "again/best.safetensors"))).equals(tensors(first))).toBe(true);
    const resumed = await run("train", "--resume", "again");
    expect(resumed.stdout).toContain("This run is finished: nothing is left to train.");
    expect((await run("report", "again")).stdout).toContain("again/report.html");
    expect((await run("export", "again", "--self-contained", "--tta", "five-crop")).stdout).toContain("self-contained, five-crop");
    expect((await run("export", "again", "--out", "other.onnx")).stdout).toMatch(/other\.onnx: 8\.9 MB\n {2}verified on 6 images/);
  });

  test("another seed draws other views and another validation split", async () => {
    const { stdout } = await run(
      "train",
      "--data",
      "folder:shapes",
      "--seed",
      "1",
      "--views",
      "1",
      "--out",
      "seed",
      "--no-report",
      "--json",
    );
    const events = jsonLines(stdout);
    expect(events.filter(({ kind, split }) => kind === "features" && split === "training").at(-1)).toMatchObject({ done: 26, total: 26 });
    expect(events.find(({ kind }) => kind === "prepared")).toMatchObject({ training: 26, views: 1, parameters: 1281 * 4 });
  });
});

test("twenty pictures of two classes, stopped while features are computed: nothing is left, and the same command goes on", async () => {
  await writeShapes(join(cwd, "few"), ["blue disc", "red square"], 10, 0);
  const line = ["train", "--data", "folder:few", "--views", "30", "--json", "--out", "few-run"];
  const env = { XDG_CACHE_HOME: join(cwd, "cache") };
  /** Of 16 views a chunk, at least two are whole, whatever the lanes, 4 at most, have begun. */
  const areChunks = (text: string): boolean => Number(/.*"done":(\d+)/s.exec(text.slice(text.indexOf('"features"')))?.[1] ?? 0) >= 96;
  let stopped = false;
  const cut = await fivecrop(line, {
    cwd,
    env,
    onOutput: (child, { stdout }) => {
      if (!stopped && stdout.includes('"features"') && areChunks(stdout)) stopped = child.kill("SIGINT");
    },
  });
  expect(cut.code, cut.stderr).toBe(130);
  expect(jsonLines(cut.stdout).at(-1)).toEqual({ kind: "stopped" });
  expect(await readdir(cwd)).not.toContain("few-run");
  const whole = await fivecrop(line, { cwd, env });
  expect(whole.code, whole.stderr).toBe(0);
  const events = jsonLines(whole.stdout);
  const features = events.filter(({ kind, split }) => kind === "features" && split === "training");
  expect(features[0].done).toBeGreaterThanOrEqual(32);
  expect(features.at(-1)).toMatchObject({ done: 480, total: 480 });
  expect(events.find(({ kind }) => kind === "reported")).toMatchObject({ split: "validation", images: 4, top1: 1 });
});

describe("the Flowers sample", () => {
  const archive = resolve(import.meta.dirname, "../../../shared/data/flowers-sample.zip");
  test.skipIf(!needFile(archive, "eight kinds of the Flowers sample"))("eight of its kinds, in four views: at least 88 %", async () => {
    expect((await run("datasets", "fetch", "flowers-102", "--from", archive, "--data-dir", "data")).code).toBe(0);
    for (const split of ["train", "valid", "test"])
      for (const kind of ["1", "10", "11", "12", "13", "14", "15", "16"])
        await cp(join(cwd, "data/flowers-102", split, kind), join(cwd, "flowers", split, kind), { recursive: true });
    const { code, stdout, stderr } = await run("train", "--data", "folder:flowers", "--views", "4", "--json");
    expect(code, stderr).toBe(0);
    const { top1, split } = jsonLines(stdout).find(({ kind }) => kind === "reported") as { readonly top1: number; readonly split: string };
    expect(split).toBe("test");
    expect(top1).toBeGreaterThanOrEqual(0.88);
    const model = join(cwd, "runs/mobilenetv2-features-flowers/model.onnx");
    const measured = await run("evaluate", model, "--data", "folder:flowers", "--tta", "five-crop", "--json");
    expect(measured.code, measured.stderr).toBe(0);
    expect(JSON.parse(measured.stdout).top1).toBeGreaterThanOrEqual(0.9);
  });
});
