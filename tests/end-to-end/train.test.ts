import { existsSync, readdirSync } from "node:fs";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { readMetadata } from "../../export/metadata.ts";
import { parse } from "../../export/parse.ts";
import { readSafetensors } from "../../export/safetensors.ts";
import { FASHION_MNIST_CLASSES } from "../../pipeline/datasets/fashion-mnist.ts";
import { fivecrop, jsonLines, picture, temporaryFolder } from "../cli/run.ts";
import { type ReadEvent, readEvents } from "../training/tensorboard-reader.ts";
import { RUN_LEFT, succeed } from "./run.ts";

const SAMPLE = "fashion-mnist-sample";
const TRAIN = ["train", "--model", "fashion-cnn", "--data", SAMPLE, "--epochs", "2", "--batch-size", "60", "--lr", "0.003"];
const PICTURES = ["ankle-boot", "trouser"].map(picture);

let cwd: string;
beforeAll(async () => {
  cwd = await temporaryFolder();
  const stdout = await good(...TRAIN, "--out", "run");
  for (const said of [
    "62,058 parameters",
    "4,800 images to train on",
    "    1/2 ",
    "    2/2 ",
    "Best epoch:",
    "fivecrop evaluate run/model.onnx",
    ...RUN_LEFT,
  ])
    expect(stdout).toContain(said);
});

const good = (...args: readonly string[]): Promise<string> => succeed(cwd, args);

describe("a run", () => {
  test("leaves its files", async () => {
    expect((await readdir(join(cwd, "run"))).sort()).toEqual(RUN_LEFT);
    const history = (await readFile(join(cwd, "run/history.csv"), "utf8")).trim().split("\n");
    expect(history[0]).toBe("epoch,training_loss,training_accuracy,validation_loss,validation_accuracy,learning_rate,seconds");
    expect(history.slice(1).map((line) => line.split(",").length)).toEqual([7, 7]);
    const { config, environment } = JSON.parse(await readFile(join(cwd, "run/run.json"), "utf8"));
    expect(config).toMatchObject({
      model: "fashion-cnn",
      data: SAMPLE,
      epochs: 2,
      batchSize: 60,
      optimizer: "adam",
      learningRate: 0.003,
      seed: 0,
    });
    expect(environment.node).toBe(process.version.slice(1));
    expect(await readFile(join(cwd, "run/curves.svg"), "utf8")).toMatch(/^<svg[\s\S]*<\/svg>\s*$/);
  });

  test("its model has a batch N, no batch norm, and its card", async () => {
    const bytes = await readFile(join(cwd, "run/model.onnx"));
    const { inputs, outputs, nodes } = parse(bytes);
    expect([inputs[0].shape, outputs[0].shape]).toEqual([
      ["N", 1, 28, 28],
      ["N", 10],
    ]);
    expect(nodes.filter(({ op }) => op === "BatchNormalization")).toEqual([]);
    const metadata = readMetadata(bytes);
    expect(metadata).toMatchObject({
      labels: FASHION_MNIST_CLASSES,
      architecture: "fashion-cnn",
      parameters: 62058,
      training: { dataset: SAMPLE, seed: 0, epochs: 2, arguments: { learningRate: 0.003 } },
    });
    expect(metadata?.training?.metrics?.validationAccuracy).toBeGreaterThan(0.75);
  });

  test("evaluate --json", async () => {
    const [evaluation, ...more] = jsonLines(
      await good("evaluate", "run/model.onnx", "--data", SAMPLE, "--split", "test", "--tta", "five-crop", "--json"),
    );
    expect(more).toEqual([]);
    expect(evaluation).toMatchObject({ model: "run/model.onnx", data: SAMPLE, split: "test", views: "five-crop", images: 1000 });
    const { top1, top5, perClass, confusion, imagesPerSecond } = evaluation as Record<string, number> & {
      perClass: { images: number }[];
      confusion: number[][];
    };
    expect(top1).toBeGreaterThan(0.5);
    expect(top5).toBeGreaterThan(0.9);
    expect(imagesPerSecond).toBeGreaterThan(0);
    expect(perClass.map(({ images }) => images)).toEqual(Array(10).fill(100));
    expect(confusion.flat().reduce((a, b) => a + b)).toBe(1000);
    expect(confusion.reduce((right, row, k) => right + row[k], 0) / 1000).toBeCloseTo(top1, 10);
  });

  test("evaluate for people, several views at once, on the data set that the model names", async () => {
    const text = await good("evaluate", "run/model.onnx", "--tta", "none", "--tta", "flip", "--limit", "200");
    expect(text).toMatch(/^run\/model\.onnx on fashion-mnist-sample, test\n200 images, [\d,]+ a second, all views together\n/);
    for (const line of [
      /^none +\d\d\.\d\d % +\d+\.\d\d % +\d\.\d{4} +\d+\.\d\d %$/m,
      /^flip +\d/m,
      /^Ankle boot +\d+ +\d/m,
      /^confusion matrix, flip/m,
    ])
      expect(text).toMatch(line);
  });

  test.each(["cli.js", "infer.js"] as const)("infer by %s", async (bin) => {
    const args = [...PICTURES, "--model", "run/model.onnx", "--top", "3", "--json"];
    const { code, stdout } = await fivecrop(bin === "cli.js" ? ["infer", ...args] : args, { cwd, bin });
    expect(code).toBe(0);
    const answers = jsonLines(stdout) as unknown as { file: string; predictions: { label: string }[] }[];
    expect(answers.map(({ file, predictions }) => [file, predictions[0].label, predictions.length])).toEqual([
      [PICTURES[0], "Ankle boot", 3],
      [PICTURES[1], "Trouser", 3],
    ]);
  });

  test("export again gives the same network; its weights alone are a state dict", async () => {
    const first = await readFile(join(cwd, "run/model.onnx"));
    const [exported] = jsonLines(await good("export", "run", "--out", "again.onnx", "--json"));
    expect(exported).toMatchObject({ file: "again.onnx", images: 64 });
    const [a, b] = [first, await readFile(join(cwd, "again.onnx"))].map((bytes) => parse(bytes));
    expect([...b.initializers.values()].map(({ data }) => data)).toEqual([...a.initializers.values()].map(({ data }) => data));
    expect(await good("export", "run", "--checkpoint", "last")).toMatch(
      /^run\/model-last\.onnx: \d+ kB\n {2}verified on 64 images: probabilities within/,
    );
    await good("export", "run", "--format", "safetensors");
    const { tensors } = readSafetensors(await readFile(join(cwd, "run/model.safetensors")));
    expect(tensors["conv1.weight"].shape).toEqual([16, 1, 3, 3]);
    expect(tensors["bn1.running_var"].shape).toEqual([16]);
  });

  test("the run's file and its self-contained one carry golden samples that agree", async () => {
    expect(await good("verify", "run/model.onnx")).toMatch(
      /^run\/model\.onnx: 3 golden samples, five-crop, on cpu\n.*\n {2}every stage agrees$/m,
    );
    expect(await good("export", "run", "--self-contained", "--tta", "flip")).toMatch(
      /^run\/model-self-contained\.onnx: \d+ kB\n {2}verified on 64 images: .*\n {2}self-contained, flip: on its golden samples within \S+ percentage points/,
    );
    expect(await good("verify", "run/model-self-contained.onnx")).toContain("3 golden samples, flip, on cpu");
  });

  test("the run's file with a heat map is verified as the other, and explains itself in any runtime", async () => {
    expect(await good("export", "run", "--explain")).toMatch(
      /^run\/model-explained\.onnx: \d+ kB\n {2}verified on 64 images: .*\n {2}second output heat_map: Grad-CAM of the most probable class at pool3$/m,
    );
    expect(await good("verify", "run/model-explained.onnx")).toContain("every stage agrees");
    const { outputs } = parse(await readFile(join(cwd, "run/model-explained.onnx")));
    expect(outputs.map(({ name, shape }) => [name, ...shape])).toEqual([
      ["fc", "N", 10],
      ["heat_map", "N", 3, 3],
    ]);
    expect(await good("infer", PICTURES[1], "--model", "run/model.onnx", "--explain-to", "why")).toContain(
      "(Grad-CAM at pool3): why/trouser.explain.png",
    );
  });

  test("inspect", async () => {
    const text = await good("inspect", "run/model.onnx");
    for (const line of [
      /^conv1 +Conv +float32\[N,16,28,28\] +160$/m,
      /^fc +Gemm +float32\[N,10\] +5,770$/m,
      /^11 nodes, 61,834 parameters$/m,
      /^ {2}labels +10\n +T-shirt/m,
    ])
      expect(text).toMatch(line);
    const [inspected] = jsonLines(await good("inspect", "run/model.onnx", "--json"));
    expect(inspected).toMatchObject({ parameters: 61834, metadata: { architecture: "fashion-cnn" } });
    expect(await good("inspect", "--model", "fashion-cnn")).toContain("62,058 parameters, and 224 fixed numbers");
  });
});

describe("train", () => {
  test("--json writes nothing but events", async () => {
    const lines = jsonLines(await good(...TRAIN, "--out", "events", "--epochs", "1", "--batch-size", "600", "--json"));
    const kinds = lines.map(({ kind }) => kind);
    const measuring = Array(16).fill("measuring");
    expect(kinds).toEqual(["prepared", "start", ...Array(8).fill("step"), "epoch", "end", "exported", ...measuring, "reported"]);
    expect(lines[kinds.indexOf("exported")]).toMatchObject({ file: "events/model.onnx", images: 64 });
    expect(lines.at(-1)).toMatchObject({ file: "events/report.html", split: "test", images: 1000, of: 1000 });
  });

  test.each(["SIGINT", "SIGTERM"] as const)("%s in the middle, resumed: the same as straight", async (signal) => {
    const out = `stopped-${signal}`;
    const sent = { done: false };
    const stopped = await fivecrop([...TRAIN, "--out", out, "--json"], {
      cwd,
      onOutput: (child, soFar) => {
        if (sent.done || !soFar.stdout.includes('"epoch":1,"batch":31,')) return;
        sent.done = true;
        child.kill(signal);
      },
    });
    expect(stopped.code).toBe({ SIGINT: 130, SIGTERM: 143 }[signal]);
    expect(stopped.stderr).toContain("Stopping after this step");
    const events = jsonLines(stopped.stdout);
    expect(events.at(-1)).toMatchObject({ kind: "end", reason: "interrupted" });
    expect(events.at(-2)).toMatchObject({ kind: "step" });
    expect((await readdir(join(cwd, out))).filter((name) => name !== "best.safetensors" && name !== "history.csv")).toEqual([
      "last.safetensors",
      "run.json",
    ]);
    expect(await good("train", "--resume", out)).toContain("Going on after step");
    const tensorsOf = async (run: string) => readSafetensors(await readFile(join(cwd, run, "last.safetensors"))).tensors;
    expect(await tensorsOf(out)).toEqual(await tensorsOf("run"));
    expect((await readdir(join(cwd, out))).sort()).toEqual(RUN_LEFT);
  });

  test("a recipe with other options: logged, averaged and for TensorBoard; stopped and resumed it is the same", async () => {
    const recipe = ["train", "--recipe", "fashion-cnn", "--data", SAMPLE, "--validation", "1200", "--epochs", "2"];
    const args = [...recipe, "--log-every", "30", "--ema", "0.99", "--tensorboard"];
    const text = await good(...args, "--out", "recipe");
    for (const said of [
      /^ {3}0\.38 +\d\.\d{4} /m,
      /^Expected of fashion-cnn: training accuracy 95\.65 %, top-1 91\.83 %$/m,
      /^ {2}log\.csv /m,
    ])
      expect(text).toMatch(said);
    const { config, preprocess } = JSON.parse(await readFile(join(cwd, "recipe/run.json"), "utf8"));
    const asked = {
      recipe: "fashion-cnn",
      model: "fashion-cnn",
      data: SAMPLE,
      validation: 1200,
      epochs: 2,
      logEvery: 30,
      ema: 0.99,
      tensorboard: true,
    };
    expect(config).toMatchObject({
      ...asked,
      batchSize: 60,
      schedule: "exponential:0.999/step",
      learningRate: 0.01,
      beta1: 0.9,
      weightDecay: 0,
    });
    expect(preprocess).toMatchObject({ crop: [28, 28], mean: [0.5], std: [0.5] });

    let sent = false;
    const stopped = await fivecrop([...args, "--out", "recipe-stopped", "--json"], {
      cwd,
      onOutput: (child, soFar) => {
        if (sent || !soFar.stdout.includes('"epoch":2,"batch":45,')) return;
        sent = true;
        child.kill("SIGINT");
      },
    });
    expect([stopped.code, sent]).toEqual([130, true]);
    await good("train", "--resume", "recipe-stopped");
    const checkpoint = async (run: string, name: string) => readSafetensors(await readFile(join(cwd, run, `${name}.safetensors`))).tensors;
    for (const name of ["last", "best"]) expect(await checkpoint("recipe-stopped", name)).toEqual(await checkpoint("recipe", name));
    expect(Object.keys(await checkpoint("recipe", "best"))).toContain("average/bn1.running_var");
    const logs = async (run: string) =>
      (await readFile(join(cwd, run, "log.csv"), "utf8"))
        .trim()
        .split("\n")
        .map((line) => line.split(",").slice(0, -1));
    expect((await logs("recipe")).slice(1).map(([step]) => Number(step))).toEqual([30, 60, 90, 120, 150]);
    expect(await logs("recipe-stopped")).toEqual(await logs("recipe"));

    const events = async (run: string) => {
      const files = (await readdir(join(cwd, run, "tensorboard"))).sort();
      return Promise.all(files.map(async (file) => readEvents(await readFile(join(cwd, run, "tensorboard", file))).events));
    };
    const [straight, parts] = [await events("recipe"), await events("recipe-stopped")];
    expect([straight.length, parts.length]).toEqual([1, 2]);
    const losses = (all: readonly ReadEvent[]) =>
      all.flatMap(({ step, scalars }) => (scalars["loss/training"] ? [[step, scalars["loss/training"]]] : []));
    expect(losses(straight[0]).map(([step]) => step)).toEqual(Array.from({ length: 160 }, (_, i) => i + 1));
    expect(parts.flatMap(losses)).toEqual(losses(straight[0]));
    expect(straight[0].filter(({ scalars }) => "loss/validation" in scalars).map(({ step }) => step)).toEqual([
      30, 60, 80, 90, 120, 150, 160,
    ]);
  });

  test("a second SIGINT ends it at once, in the midst of a long step", async () => {
    const args = ["train", "--model", "minivgg", "--data", SAMPLE, "--batch-size", "300", "--out", "killed", "--json"];
    let signals = 0;
    const { code, stdout } = await fivecrop(args, {
      cwd,
      onOutput: (child, { stdout, stderr }) => {
        if (signals < (stderr.includes("Stopping") ? 2 : stdout.includes('"kind":"step"') ? 1 : 0)) {
          signals++;
          child.kill("SIGINT");
        }
      },
    });
    expect({ code, signals }).toEqual({ code: 130, signals: 2 });
    expect(stdout).not.toContain('"kind":"end"');
    expect(await readdir(join(cwd, "killed"))).toEqual(["run.json", "run.lock"]); // whoever comes next takes the lock over
  });

  test("a second SIGINT in the midst of a save: what is half-written goes when the run is next taken up", async () => {
    const out = join(cwd, "saving");
    const half = (): string[] => (existsSync(out) ? readdirSync(out).filter((name) => /^last\.safetensors\.\d+-\d+\.tmp$/.test(name)) : []);
    const args = [
      "train",
      "--model",
      "fashion-cnn",
      "--head",
      "4000,4000",
      "--data",
      SAMPLE,
      "--batch-size",
      "60",
      "--out",
      "saving",
      "--json",
    ];
    let polling: Promise<void> | undefined;
    const killed = await fivecrop(args, {
      cwd,
      onOutput: (child, { stdout }) => {
        if (polling || !stdout.includes('"kind":"step"')) return;
        child.kill("SIGINT");
        polling = (async () => {
          while (child.exitCode === null && half().length === 0) await new Promise((done) => setImmediate(done));
          child.kill("SIGINT");
        })();
      },
    });
    expect(killed.code).toBe(130);
    expect(killed.stdout).not.toContain('"kind":"end"');
    expect(half()).toHaveLength(1);
    const resumed = await fivecrop(["train", "--resume", "saving"], { cwd });
    expect(resumed.stderr).toMatch(/last\.safetensors is missing: the run was stopped before its first checkpoint/);
    expect(await readdir(out)).toEqual(["run.json"]);
  });

  test("without --out each run has its own directory", async () => {
    const short = [...TRAIN, "--epochs", "1", "--batch-size", "1200", "--json"];
    await good(...short);
    await good(...short);
    expect((await readdir(join(cwd, "runs"))).sort()).toEqual([`fashion-cnn-${SAMPLE}`, `fashion-cnn-${SAMPLE}-2`]);
  });
});
