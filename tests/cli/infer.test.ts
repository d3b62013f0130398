import { copyFile, mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import sharp from "sharp";
import { describe, expect, test } from "vitest";
import { colourModel, LABELS, model, picture as noisy, withMetadata } from "../inference/models.ts";
import { fivecrop, jsonLines, picture, temporaryFolder } from "./run.ts";

interface Answer {
  readonly file: string;
  readonly predictions: readonly { readonly label: string; readonly classIndex: number; readonly probability: number }[];
}
const answers = (stdout: string): Answer[] => jsonLines(stdout) as unknown as Answer[];

/** One gray picture, brighter below, in the forms in which it may come. */
async function writeForms(folder: string): Promise<string[]> {
  const { width, height, data } = noisy(3);
  const raw = (pixels: Uint8Array | Uint16Array, channels: 1 | 2 | 3 | 4) => sharp(pixels, { raw: { width, height, channels } });
  const spread = (channels: number, alpha: boolean) =>
    Uint8Array.from({ length: data.length * channels }, (_, i) =>
      alpha && i % channels === channels - 1 ? 255 : data[Math.floor(i / channels)],
    );
  const forms = {
    "gray.png": raw(data, 1).toColourspace("b-w"),
    "gray-16-bit.png": raw(
      Uint16Array.from(data, (v) => v * 257),
      1,
    ).toColourspace("grey16"),
    "gray-alpha.png": raw(spread(2, true), 2).toColourspace("b-w"),
    "colour.png": raw(spread(3, false), 3),
    "colour-16-bit.png": raw(
      Uint16Array.from(spread(3, false), (v) => v * 257),
      3,
    ).toColourspace("rgb16"),
    "colour-alpha.png": raw(spread(4, true), 4),
  };
  for (const [name, image] of Object.entries(forms)) await image.png().toFile(join(folder, name));
  return Object.keys(forms);
}

describe.concurrent("infer", () => {
  test.each([
    ["gray", withMetadata(model())],
    ["colour", colourModel()],
  ])("a %s network takes pictures with alpha, 16 bits, gray and colour alike", async (_, bytes) => {
    const cwd = await temporaryFolder();
    await writeFile(join(cwd, "m.onnx"), bytes);
    const files = await writeForms(cwd);
    const { code, stdout, stderr } = await fivecrop(["infer", ...files, "--model", "m.onnx", "--json"], { cwd });
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    const [first, ...others] = answers(stdout);
    expect(first.predictions[0].label).toBe("bottom");
    expect(first.predictions[0].probability).toBeLessThan(0.9999);
    expect(others.map(({ file }) => file)).toEqual(files.slice(1));
    for (const { predictions } of others) expect(predictions).toEqual(first.predictions);
    const { format, depth, channels, hasAlpha } = await sharp(join(cwd, "colour-16-bit.png")).metadata();
    expect({ format, depth, channels, hasAlpha }).toEqual({ format: "png", depth: "ushort", channels: 3, hasAlpha: false });
  });

  test("--top and --tta", async () => {
    const cwd = await temporaryFolder();
    await writeFile(join(cwd, "m.onnx"), withMetadata(model(), { views: "flip" }));
    const call = async (...args: readonly string[]) =>
      answers((await fivecrop(["infer", picture("bag"), "--model", "m.onnx", "--json", ...args], { cwd })).stdout)[0].predictions;
    expect(await call("--top", "2")).toHaveLength(2);
    expect(await call("--tta", "none")).not.toEqual(await call());
    expect(await call("--tta", "flip")).toEqual(await call());
    expect((await call()).reduce((sum, { probability }) => sum + probability, 0)).toBeCloseTo(1, 6);
  });

  test("a card takes no number of threads: one that is asked for is a misuse", async () => {
    const cwd = await temporaryFolder();
    await writeFile(join(cwd, "m.onnx"), withMetadata(model()));
    const { code, stderr } = await fivecrop(["infer", picture("bag"), "--model", "m.onnx", "--device", "cuda", "--threads", "4"], { cwd });
    expect(code).toBe(2);
    expect(stderr).toContain("threads: a session on cuda has no number of its own, received 4. To fix: leave it out");
  });

  test("it loads nothing that it does not need", async () => {
    const cwd = await temporaryFolder();
    await writeFile(join(cwd, "m.onnx"), withMetadata(model()));
    const env = { NODE_V8_COVERAGE: join(cwd, "coverage") };
    expect((await fivecrop(["infer", picture("bag"), "--model", "m.onnx"], { cwd, env })).code).toBe(0);
    const reports = await Promise.all(
      (await readdir(env.NODE_V8_COVERAGE)).map((name) => readFile(join(env.NODE_V8_COVERAGE, name), "utf8")),
    );
    const urls: string[] = reports.flatMap((report) => JSON.parse(report).result.map(({ url }: { url: string }) => url));
    expect(urls.some((url) => url.includes("/onnxruntime-node/"))).toBe(true);
    expect(urls.filter((url) => /onnx-proto|protobufjs|echarts|\/training\/|\/models\/(?!end-of-graph\.js$)/.test(url))).toEqual([]);
  });

  test("a folder: its pictures in order, a bad one in its place, exit code 1", async () => {
    const cwd = await temporaryFolder();
    await writeFile(join(cwd, "m.onnx"), withMetadata(model()));
    await mkdir(join(cwd, "pictures", "more"), { recursive: true });
    const names = ["bag.png", "dress.png", join("more", "sandal.png")].map((name) => join("pictures", name));
    for (const name of names) await copyFile(picture(basename(name, ".png")), join(cwd, name));
    await writeFile(join(cwd, "pictures", "broken.jpg"), "no picture");
    const { code, stdout, stderr } = await fivecrop(["infer", "pictures", "--model", "m.onnx", "--tta", "five-crop", "--json"], { cwd });
    expect(jsonLines(stdout).map(({ file }) => file)).toEqual([names[0], join("pictures", "broken.jpg"), names[1], names[2]]);
    expect({ code, lines: stderr.trimEnd().split("\n").length }).toEqual({ code: 1, lines: 1 });
    expect(stderr).toContain("broken.jpg: cannot be read as a picture");
    const alone = await fivecrop(["infer", names[1], "--model", "m.onnx", "--tta", "five-crop", "--json"], { cwd });
    const [together, one] = [answers(stdout)[2].predictions, answers(alone.stdout)[0].predictions];
    one.forEach(({ label, probability }, i) => {
      expect(together[i].label).toBe(label);
      expect(together[i].probability).toBeCloseTo(probability, 6);
    });
  });

  test("for people: a line a class, aligned", async () => {
    const cwd = await temporaryFolder();
    await writeFile(join(cwd, "m.onnx"), withMetadata(model()));
    const { stdout } = await fivecrop(["infer", picture("bag"), picture("dress"), "--model", "m.onnx", "--top", "2"], { cwd });
    const lines = stdout.trimEnd().split("\n");
    expect(lines).toHaveLength(6);
    expect([lines[0], lines[3]]).toEqual([picture("bag"), picture("dress")]);
    for (const i of [1, 2, 4, 5]) expect(lines[i]).toMatch(/^ {2}(left|right|top|bottom) +\d+\.\d %( {2}█+)?$/);
    expect(new Set([1, 2, 4, 5].map((i) => lines[i].indexOf("%"))).size).toBe(1);
    expect(LABELS).toHaveLength(4);
  });
});
