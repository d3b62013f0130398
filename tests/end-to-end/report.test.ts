import { cp, mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { appendMetadata, readMetadata } from "../../export/metadata.ts";
import { writeDataRoot } from "../cli/files.ts";
import { fivecrop, jsonLines, picture, temporaryFolder } from "../cli/run.ts";
import { model as halves, metadata as ofHalves } from "../inference/models.ts";
import { succeed } from "./run.ts";

const TRAIN = ["train", "--model", "fashion-cnn", "--data", "fashion-mnist-sample", "--batch-size", "60", "--lr", "0.003", "--json"];

let cwd: string;
const run = (...args: readonly string[]) => fivecrop(args, { cwd });
const good = async (...args: readonly string[]): Promise<Record<string, unknown>[]> => jsonLines(await succeed(cwd, [...args, "--json"]));
const text = (file: string): Promise<string> => readFile(join(cwd, file), "utf8");
const json = async (file: string): Promise<Record<string, unknown>> => JSON.parse(await text(file));

beforeAll(async () => {
  cwd = await temporaryFolder();
  await good(...TRAIN, "--epochs", "2", "--out", "run");
});

describe("a run's report", () => {
  test("is of the test split, and its numbers are those of evaluate", async () => {
    const [evaluated] = await good("evaluate", "run/model.onnx", "--data", "fashion-mnist-sample");
    const { top1, top1Interval, top5, loss, calibration } = evaluated as Record<string, number> & {
      calibration: { expectedCalibrationError: number };
    };
    const found = await json("run/evaluation.json");
    expect(found).toMatchObject({ split: "test", images: 1000, of: 1000, top1, top5, temperature: 1 });
    expect(found.top1Interval).toEqual(top1Interval);
    expect(found.loss).toBeCloseTo(loss, 6);
    expect(found.expectedCalibrationError).toBeCloseTo(calibration.expectedCalibrationError, 6);
    const page = await text("run/report.html");
    for (const said of [
      `${(100 * top1).toFixed(2)} %`,
      "1,000 images of the test split",
      "fivecrop train --model fashion-cnn --data fashion-mnist-sample --epochs 2 --batch-size 60",
      "onnxruntime-node",
      "Ankle boot",
      "bn1",
    ])
      expect(page).toContain(said);
    expect(page.match(/<li class="(right|wrong)">/g)).toHaveLength(36 + 24);
  });

  test("made anew is the same page; another split and fewer images where asked for", async () => {
    const timeless = (page: string): string => page.replace(/, in [\d.]+ s, one view/, "");
    const first = await text("run/report.html");
    const [reported] = await good("report", "run");
    expect(reported).toMatchObject({ kind: "reported", file: "run/report.html", split: "test" });
    expect(timeless(await text("run/report.html"))).toBe(timeless(first));
    const [other] = await good("report", "run", "--split", "validation", "--limit", "300");
    expect(other).toMatchObject({ split: "validation", images: 300, of: 1200 });
    expect(await text("run/report.html")).toContain("300 images of the validation split, drawn from 1,200");
    const { code, stderr } = await run("report", "run", "--split", "tset");
    expect({ code, stderr }).toEqual({ code: 2, stderr: expect.stringContaining("'tset'") });
    await good("report", "run");
  });

  test("of a run that was stopped in its first epoch: the weights that it has", async () => {
    const sent = { done: false };
    const stopped = await fivecrop([...TRAIN, "--out", "stopped"], {
      cwd,
      onOutput: (child, { stdout }) => {
        if (!sent.done && stdout.includes('"batch":20,')) sent.done = child.kill("SIGINT");
      },
    });
    expect(stopped.code).toBe(130);
    expect(await readdir(join(cwd, "stopped"))).not.toContain("report.html");
    const [reported] = await good("report", "stopped");
    expect(reported).toMatchObject({ split: "test", epoch: 1, images: 1000 });
    const page = await text("stopped/report.html");
    for (const said of ["This run was stopped before its end", "fivecrop train --resume stopped", "No epoch was finished"])
      expect(page).toContain(said);
    const { code, stderr } = await run("calibrate", "stopped");
    expect(code).toBe(1);
    expect(stderr).toMatch(/cannot read stopped\/model\.onnx: .*To fix: finish the run \(train --resume stopped\)/);
  });

  test("without test files it is of the validation split, and says why", async () => {
    const root = join(cwd, "data");
    await writeDataRoot(root, {});
    await rm(join(root, "fashion-mnist/t10k-images-idx3-ubyte"));
    const args = [
      "train",
      "--model",
      "fashion-cnn",
      "--data",
      "fashion-mnist",
      "--data-dir",
      root,
      "--epochs",
      "1",
      "--batch-size",
      "8",
      "--out",
      "bare",
    ];
    const { code, stdout } = await run(...args);
    expect(code).toBe(0);
    expect(stdout).toMatch(
      /bare\/report\.html: \d+ kB\n {2}validation: .* of 8 images .*\n {2}The test split cannot be read, so these numbers are of the validation split/,
    );
    expect(await json("bare/evaluation.json")).toMatchObject({ split: "validation", images: 8 });
    expect(await text("bare/report.html")).toContain("by which the best epoch was chosen");
  });

  test("--no-report leaves none; report needs a run", async () => {
    const { code, stdout } = await run(...TRAIN.slice(0, -1), "--epochs", "1", "--batch-size", "600", "--out", "plain", "--no-report");
    expect(code).toBe(0);
    expect(stdout).toContain("  fivecrop report plain\n");
    expect((await readdir(join(cwd, "plain"))).filter((name) => /report|evaluation/.test(name))).toEqual([]);
    const missing = await run("report", "nowhere");
    expect(missing.code).toBe(1);
    expect(missing.stderr).toMatch(/nowhere holds no run: cannot read nowhere\/run\.json/);
  });
});

describe("calibrate", () => {
  test("writes the temperature into the file, whose samples agree; reports, exports and answers have it", async () => {
    await cp(join(cwd, "run"), join(cwd, "calibrated"), { recursive: true });
    const events = await good("calibrate", "calibrated");
    const [calibrated, reported] = events as unknown as [
      { temperature: number; before: { loss: number }; after: { loss: number } },
      Record<string, unknown>,
    ];
    const { temperature, before, after } = calibrated;
    expect(calibrated).toMatchObject({
      kind: "calibrated",
      file: "calibrated/model.onnx",
      split: "validation",
      images: 1200,
      views: "none",
    });
    expect(after.loss).toBeLessThan(before.loss);
    expect(reported).toMatchObject({ kind: "reported", temperature, split: "test" });
    const plain = await json("run/evaluation.json");
    expect(reported.top1).toBe(plain.top1);
    expect(reported.loss).not.toBe(plain.loss);
    expect(await text("calibrated/report.html")).toContain("Before and after calibration");

    const { samples, ...card } = readMetadata(await readFile(join(cwd, "calibrated/model.onnx")))!;
    expect(card.temperature).toBe(temperature);
    expect(samples?.samples.length).toBe(3);
    expect((await run("verify", "calibrated/model.onnx")).stdout).toContain("every stage agrees");
    const [evaluated] = await good("evaluate", "calibrated/model.onnx");
    expect(evaluated.loss).toBeCloseTo(reported.loss as number, 6);
    const top = async (model: string) => {
      const [answer] = await good("infer", picture("sneaker"), "--model", `${model}/model.onnx`);
      return (answer.predictions as { label: string; probability: number }[])[0];
    };
    const [cold, warm] = [await top("run"), await top("calibrated")];
    expect(warm.label).toBe(cold.label);
    expect(Math.sign(cold.probability - warm.probability)).toBe(Math.sign(temperature - 1));

    await good("export", "calibrated", "--out", "again.onnx");
    expect(readMetadata(await readFile(join(cwd, "again.onnx")))?.temperature).toBe(temperature);
    await good("export", "calibrated", "--self-contained", "--tta", "flip", "--out", "whole.onnx");
    expect((await run("verify", "whole.onnx")).stdout).toContain("every stage agrees");
    const [same] = await good("calibrate", "calibrated", "--no-report");
    expect(same.temperature).toBeCloseTo(temperature, 5);
  });

  test("what the file says counts where calibration.json is of another: a kill came between the two", async () => {
    await cp(join(cwd, "run"), join(cwd, "killed"), { recursive: true });
    await good("calibrate", "killed", "--no-report");
    await rm(join(cwd, "killed/calibration.json"));
    await good("report", "killed");
    expect(await text("killed/report.html")).toContain("Before and after calibration");
  });

  test("goes with its weights: a run that replaces it has none", async () => {
    await mkdir(join(cwd, "replaced"));
    await cp(join(cwd, "run"), join(cwd, "replaced"), { recursive: true });
    await good("calibrate", "replaced", "--no-report");
    await good(...TRAIN.slice(0, -1), "--epochs", "1", "--batch-size", "600", "--out", "replaced", "--overwrite");
    expect(await readdir(join(cwd, "replaced"))).not.toContain("calibration.json");
    expect(readMetadata(await readFile(join(cwd, "replaced/model.onnx")))).not.toHaveProperty("temperature");
  });

  test("a file that ends in a softmax cannot be tempered", async () => {
    await cp(join(cwd, "run"), join(cwd, "soft"), { recursive: true });
    await writeFile(join(cwd, "soft/model.onnx"), appendMetadata(halves("N", "Softmax"), { ...ofHalves, outputKind: "probabilities" }));
    const { code, stderr } = await run("calibrate", "soft");
    expect(code).toBe(1);
    expect(stderr).toMatch(
      /soft\/model\.onnx: a temperature divides logits or log-probabilities, and this file's output is probabilities: it cannot be calibrated/,
    );
  });
});

describe("compare", () => {
  test("a table, a page, JSON", async () => {
    await good(...TRAIN.slice(0, -1), "--epochs", "1", "--batch-size", "300", "--seed", "3", "--out", "other");
    const { code, stdout } = await run("compare", "run", "other", "--out", "both.html");
    expect(code).toBe(0);
    for (const line of [
      /^run +fashion-cnn +fashion-mnist-sample +62,058 +2 +\d\d\.\d\d % \([12]\) +\d\d\.\d\d % +[\d.]+ (s|min.*)$/m,
      /^ {2}batchSize +60 +300$/m,
      /^ {2}seed +0 +3$/m,
      /^The seeds or validation shares differ/m,
      /^both\.html: \d+ kB$/m,
    ])
      expect(stdout).toMatch(line);
    expect(await text("both.html")).toContain("Validation accuracy (%) over steps");
    const [compared] = await good("compare", "run", "other", "--out", "both.html");
    expect(compared).toMatchObject({
      file: "both.html",
      runs: [{ run: "run", parameters: 62058, finished: true, evaluation: { split: "test" } }, { run: "other" }],
    });
  });

  test.each([
    [["run"], 2, "expected at least two runs, received 1"],
    [["run", "run"], 2, "run is named twice"],
    [["run", "nowhere"], 1, "nowhere holds no run"],
  ])("%j", async (runs, code, said) => {
    const found = await run("compare", ...runs);
    expect({ code: found.code, stderr: found.stderr }).toEqual({ code, stderr: expect.stringContaining(said) });
  });
});
