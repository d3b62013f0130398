import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { chmod, copyFile, mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { model, withMetadata } from "../inference/models.ts";
import { COUNT, IMAGES, idx, LABELS, pngOfSize, writeDataRoot } from "./files.ts";
import { type Finished, fivecrop, jsonLines, picture, temporaryFolder } from "./run.ts";

/** One message that says all of this, no stack, exit code 1. */
function expectFailure({ code, stderr }: Finished, ...says: readonly string[]): void {
  expect(stderr).toMatch(/^fivecrop: .+\n$/);
  for (const said of says) expect(stderr).toContain(said);
  expect(code).toBe(1);
}

/** Before a command whose files obey their permissions, as root's do not; undefined, and a line that says why, where there is no such way. */
function obeyingPermissions(): string | undefined {
  if (process.platform === "win32") return console.log("skipped: an --out without write permission (Windows has none)") as undefined;
  if (process.getuid?.() !== 0) return ":";
  const words = ["setpriv", "--bounding-set=-dac_override", "--inh-caps=-dac_override"];
  if (spawnSync(words[0], [...words.slice(1), "true"]).status === 0) return `set -- ${words.join(" ")} "$@"`;
  return console.log("skipped: an --out without write permission (root may write everywhere, and there is no setpriv)") as undefined;
}
const unwritable = obeyingPermissions();

const TRAIN = ["train", "--model", "fashion-cnn", "--epochs", "1", "--batch-size", "10", "--threads", "1", "--out", "run", "--no-report"];
const SAMPLE = ["--data", "fashion-mnist-sample", "--batch-size", "600"];

describe.concurrent("data", () => {
  const cut = (bytes: Buffer): Buffer => bytes.subarray(0, -5);
  const inGzip = gzipSync(IMAGES);
  const corrupt = Buffer.from(inGzip);
  corrupt.fill(0x55, 200, 400);
  const outOfRange = Buffer.from(LABELS);
  outOfRange[8 + 3] = 10;
  const images = "train-images-idx3-ubyte";
  const labels = "train-labels-idx1-ubyte";

  test.each([
    [
      "a truncated file",
      { images: cut(IMAGES) },
      [images, "is cut short", `${COUNT} × 28 × 28 = ${COUNT * 784} bytes`, `found ${COUNT * 784 - 5}`],
    ],
    [
      "a truncated gzip file",
      { images: inGzip.subarray(0, inGzip.length / 2) },
      [images, "corrupt or cut short", "expected a whole gzip stream"],
    ],
    ["a corrupt gzip file", { images: corrupt }, [images, "gzip data are corrupt", "To fix"]],
    ["a wrong magic number", { images: LABELS }, [images, "expected the magic number 0x00000803", "found 0x00000801 (labels)"]],
    [
      "fewer labels than images",
      { labels: idx(0x801, [COUNT - 1], LABELS.subarray(8, -1)) },
      [labels, `each of the ${COUNT} images`, `found ${COUNT - 1}`],
    ],
    ["a label out of range", { labels: outOfRange }, [labels, "label 3 is 10", "from 0 to 9"]],
  ])("%s", async (_, files, says) => {
    const cwd = await temporaryFolder();
    await writeDataRoot(join(cwd, "data"), files);
    const finished = await fivecrop([...TRAIN, "--data", "fashion-mnist", "--data-dir", "data"], { cwd });
    expectFailure(finished, ...says);
    expect(finished.stdout).toBe("");
    expect(await readdir(cwd)).toEqual(["data"]);
  });

  test("no data root: how to get the data", async () => {
    const cwd = await temporaryFolder();
    expectFailure(
      await fivecrop([...TRAIN, "--data", "fashion-mnist", "--data-dir", "nowhere"], { cwd }),
      `${join(cwd, "nowhere/fashion-mnist/train-images-idx3-ubyte.gz")} is missing`,
      "https://github.com/zalandoresearch/fashion-mnist",
      "--data-dir",
      "FIVECROP_DATA",
      "fashion-mnist-sample needs no files",
    );
    expect(await readdir(cwd)).toEqual([]);
  });
});

describe.concurrent("pictures", () => {
  test("a bad one is named, the others are answered", async () => {
    const cwd = await temporaryFolder();
    const bad = { "text.png": Buffer.from("no picture at all"), "empty.png": Buffer.alloc(0), "nothing.png": pngOfSize(0, 0) };
    for (const [name, bytes] of Object.entries(bad)) await writeFile(join(cwd, name), bytes);
    await writeFile(join(cwd, "m.onnx"), withMetadata(model()));
    const good = [picture("bag"), picture("dress")];
    const files = [good[0], ...Object.keys(bad), "missing.png", good[1]];
    const { code, stdout, stderr } = await fivecrop(["infer", ...files, "--model", "m.onnx", "--json"], { cwd });
    expect({ code, stderr }).toMatchObject({ code: 1 });
    const lines = jsonLines(stdout);
    expect(lines.filter(({ predictions }) => predictions).map(({ file }) => file)).toEqual(good);
    expect(lines.filter(({ error }) => error).map(({ file }) => file)).toEqual([...Object.keys(bad), "missing.png"]);
    expect(stderr.trim().split("\n")).toEqual([
      expect.stringMatching(/^fivecrop: text\.png: .*Expected a JPEG, PNG.*Found text that starts "no picture/),
      expect.stringMatching(/^fivecrop: empty\.png: the file is empty/),
      expect.stringMatching(/^fivecrop: nothing\.png: .* 0 pixels. Expected a width and a height of at least 1/),
      expect.stringMatching(/^fivecrop: missing\.png: there is no such file/),
    ]);
  });
});

describe.concurrent("models", () => {
  const infer = async (bytes: Uint8Array, ...args: readonly string[]) => {
    const cwd = await temporaryFolder();
    await writeFile(join(cwd, "m.onnx"), bytes);
    await writeFile(join(cwd, "labels.txt"), "left\nright\ntop\nbottom\n");
    return fivecrop(["infer", picture("bag"), "--model", "m.onnx", ...args], { cwd });
  };
  const spec = { resize: [8, 8], filter: "bilinear", crop: [8, 8], channels: 1, mean: [0.5], std: [0.25] } as const;

  test.each(["infer", "evaluate", "inspect"])("%s: no ONNX model", async (command) => {
    const cwd = await temporaryFolder();
    await copyFile(picture("bag"), join(cwd, "m.onnx"));
    const args = {
      infer: [picture("bag"), "--model", "m.onnx"],
      evaluate: ["m.onnx", "--data", "fashion-mnist-sample"],
      inspect: ["m.onnx"],
    };
    expectFailure(await fivecrop([command, ...args[command as keyof typeof args]], { cwd }), "m.onnx", "no ONNX model");
  });

  test("no such file", async () => {
    expectFailure(await fivecrop(["inspect", "nowhere.onnx"]), "cannot read the model nowhere.onnx");
  });

  test("without metadata it says what is missing", async () => {
    const { code, stderr } = await infer(model());
    expect(stderr).toMatch(/^fivecrop: m\.onnx carries no fivecrop metadata.*labels.*preprocess.*\n$/);
    expect(code).toBe(2);
  });

  test("without metadata it is usable with --labels and --preprocess", async () => {
    const { code, stdout } = await infer(model(), "--labels", "labels.txt", "--preprocess", JSON.stringify(spec), "--json");
    expect(code).toBe(0);
    const [{ predictions }] = jsonLines(stdout) as [{ predictions: { label: string }[] }];
    expect(predictions.map(({ label }) => label).sort()).toEqual(["bottom", "left", "right", "top"]);
  });

  test("an input of another shape", async () => {
    const other = JSON.stringify({ ...spec, resize: [28, 28], crop: [28, 28] });
    expectFailure(
      await infer(withMetadata(model()), "--preprocess", other),
      "m.onnx",
      "float32 [",
      ",1,8,8]",
      "the preprocessing makes float32 [N,1,28,28]",
    );
  });

  test("labels of another number", async () => {
    const cwd = await temporaryFolder();
    await writeFile(join(cwd, "two.json"), '["yes", "no"]');
    expectFailure(await infer(withMetadata(model()), "--labels", join(cwd, "two.json")), "m.onnx", "2 labels need float32 [N,2]");
  });

  test("classes of another data set", async () => {
    const cwd = await temporaryFolder();
    await writeFile(join(cwd, "m.onnx"), withMetadata(model()));
    const { code, stderr } = await fivecrop(["evaluate", "m.onnx", "--data", "fashion-mnist-sample"], { cwd });
    expect(stderr).toMatch(/^fivecrop: fashion-mnist-sample: 10 of its 10 classes .* are none of the model's 4 .*\n$/);
    expect(code).toBe(2);
  });
});

describe.concurrent("directories", () => {
  test("an --out below a file", async () => {
    const cwd = await temporaryFolder();
    await writeFile(join(cwd, "file"), "");
    expectFailure(
      await fivecrop([...TRAIN, ...SAMPLE, "--out", "file/run"], { cwd }),
      "cannot make the directory file/run",
      "To fix: choose a place that can be written",
    );
    expect(await readdir(cwd)).toEqual(["file"]);
  });

  test.skipIf(!unwritable)("an --out that cannot be written, and one in a folder that cannot", async () => {
    const cwd = await temporaryFolder();
    await mkdir(join(cwd, "run"));
    for (const name of ["run", "."]) await chmod(join(cwd, name), 0o555);
    const mend = "no permission. To fix: choose a place that can be written.";
    const train = (out: string) => fivecrop([...TRAIN, ...SAMPLE, "--out", out], { cwd, before: unwritable });
    try {
      expectFailure(await train("run"), `cannot write run/run.lock: ${mend}`);
      expectFailure(await train("new/run"), `--out: cannot make the directory new/run: ${mend}`);
      expect(await readdir(cwd)).toEqual(["run"]);
      expect(await readdir(join(cwd, "run"))).toEqual([]);
    } finally {
      for (const name of [".", "run"]) await chmod(join(cwd, name), 0o755);
    }
  });

  test.skipIf(process.platform === "win32")("no room: nothing is half-written", async () => {
    const cwd = await temporaryFolder();
    const { code, stderr } = await fivecrop([...TRAIN, ...SAMPLE], { cwd, before: "ulimit -f 200" });
    expect(stderr).toMatch(/fivecrop: cannot write run\/best\.safetensors: .*To fix: free some space.*\n$/);
    expect(code).toBe(1);
    expect(await readdir(join(cwd, "run"))).toEqual(["run.json"]);
  });

  test.skipIf(process.platform === "win32")(
    "what a run left that came to no checkpoint is no run to keep: the same command goes ahead where there is room",
    async () => {
      const cwd = await temporaryFolder();
      const args = [...TRAIN, ...SAMPLE, "--tensorboard", "--log-every", "4"];
      expect((await fivecrop(args, { cwd, before: "ulimit -f 200" })).code).toBe(1);
      expect((await readdir(join(cwd, "run"))).sort()).toEqual(["log.csv", "run.json", "tensorboard"]);
      const again = await fivecrop(args, { cwd });
      expect(again.code, again.stderr).toBe(0);
      expect(again.stderr).not.toContain("fivecrop:"); // a slow machine's progress is said there
      expect(await readdir(join(cwd, "run"))).toContain("model.onnx");
      expect(await readdir(join(cwd, "run/tensorboard"))).toHaveLength(1);
      const third = await fivecrop(args, { cwd });
      expect(third.stderr).toMatch(/^fivecrop: run holds a run already/);
      expect(third.code).toBe(2);
    },
  );

  test("a run that is there already is left as it is", async () => {
    const cwd = await temporaryFolder();
    await writeFile(join(cwd, "run.json"), "{}");
    const { code, stderr } = await fivecrop([...TRAIN, ...SAMPLE, "--out", "."], { cwd });
    expect(stderr).toMatch(/^fivecrop: \. holds a run already.*--resume.*--overwrite.*\n$/);
    expect(code).toBe(2);
    expect(await readFile(join(cwd, "run.json"), "utf8")).toBe("{}");
  });

  test("no run to resume or export", async () => {
    const cwd = await temporaryFolder();
    expectFailure(await fivecrop(["train", "--resume", "nowhere"], { cwd }), "nowhere holds no run", "nowhere/run.json");
    expectFailure(await fivecrop(["export", "nowhere"], { cwd }), "nowhere holds no run", "nowhere/run.json");
    expect(existsSync(join(cwd, "nowhere"))).toBe(false);
  });

  test("a checkpoint of another model, a damaged one, and none", async () => {
    const cwd = await temporaryFolder();
    expect((await fivecrop([...TRAIN, ...SAMPLE], { cwd })).code).toBe(0);
    const file = join(cwd, "run/run.json");
    const text = await readFile(file, "utf8");
    await writeFile(file, text.replace('"fashion-cnn"', '"lenet-bn"'));
    expectFailure(
      await fivecrop(["train", "--resume", "run"], { cwd }),
      "run/last.safetensors is a checkpoint of another model: expected network 'lenet-bn'",
      "found 'fashion-cnn'",
    );
    expectFailure(await fivecrop(["export", "run"], { cwd }), "run/best.safetensors is a checkpoint of another model");
    await writeFile(file, text);
    const checkpoint = join(cwd, "run/last.safetensors");
    await writeFile(checkpoint, (await readFile(checkpoint)).subarray(0, -100));
    expectFailure(await fivecrop(["train", "--resume", "run"], { cwd }), "run/last.safetensors is no checkpoint", "cut off");
    await copyFile(picture("bag"), checkpoint);
    expectFailure(await fivecrop(["export", "run", "--checkpoint", "last"], { cwd }), "run/last.safetensors is no checkpoint");
    const model = await readFile(join(cwd, "run/model.onnx"));
    expectFailure(await fivecrop(["export", "run", "--out", "nowhere/m.onnx"], { cwd }), "cannot write nowhere/m.onnx");
    expect(await readFile(join(cwd, "run/model.onnx"))).toEqual(model);
  });
});
