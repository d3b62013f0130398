import { execFile } from "node:child_process";
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { installedBrowser, namedBrowser } from "../../core/chromium.node.ts";
import { SAMPLE_FOLDER } from "../../pipeline/datasets/fashion-mnist.ts";

const execute = promisify(execFile);
const root = fileURLToPath(new URL("../..", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "fivecrop-package-"));

const at = (command: string, ...args: string[]) =>
  execute(command, args, { cwd: folder, env: { ...process.env, ONNXRUNTIME_NODE_INSTALL: "skip" }, maxBuffer: 1e8 });

/** A folder above this one may have it. */
function hasNpmBrowser(): boolean {
  const places = createRequire(join(folder, "package.json")).resolve.paths("@sparticuz/chromium") ?? [];
  return places.some((place) => existsSync(join(place, "@sparticuz/chromium")));
}

/** The README's code block of this language that holds this text. */
function readmeBlock(language: string, containing: string): string {
  const blocks = Array.from(readFileSync(join(root, "README.md"), "utf8").matchAll(/```(\w+)\n([\s\S]*?)```/g));
  const found = blocks.filter(([, name, text]) => name === language && text.includes(containing));
  expect(found.length, `README blocks of ${language} with '${containing}'`).toBe(1);
  return found[0][2];
}

describe("the packed package, in an empty project", () => {
  beforeAll(async () => {
    const { stdout } = await execute("npm", ["pack", "--ignore-scripts", "--json", "--pack-destination", folder], {
      cwd: root,
      maxBuffer: 1e8,
    });
    const [{ filename }] = JSON.parse(stdout);
    writeFileSync(join(folder, "package.json"), JSON.stringify({ name: "empty", private: true, type: "module" }));
    await at("npm", "install", "--no-audit", "--no-fund", "--prefer-offline", `./${filename}`);
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  test("holds what it needs and nothing else", () => {
    const packed = join(folder, "node_modules/fivecrop");
    for (const file of [
      "dist/cli.js",
      "dist/index.d.ts",
      "dist/browser.js",
      "dist/demo/site/index.html",
      "dist/inference/verify-page/script.js",
      "dist/pipeline/batches.worker.node.js",
      "dist/models/pretrained/squeezenet1.1-imagenet.onnx",
      "dist/models/pretrained/mobilenetv2-imagenet-headless.onnx",
      "dist/models/pretrained/NOTICE",
      "NOTICE",
      "LICENSE",
      "README.md",
    ])
      expect(existsSync(join(packed, file)), file).toBe(true);
    for (const file of ["tests", "core", "dist/tests", "tsconfig.json"]) expect(existsSync(join(packed, file)), file).toBe(false);
  });

  test("both commands run by npx", async () => {
    const { version } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
    expect((await at("npx", "fivecrop", "--version")).stdout.trim()).toBe(version);
    expect((await at("npx", "infer", "--help")).stdout).toContain("infer boot.png");
  });

  test("answers for a picture on a fresh install, with the shipped model", async () => {
    const bag = "node_modules/fivecrop/dist/pipeline/datasets/sample/bag.png";
    const { stdout } = await at("npx", "infer", bag, "--tta", "five-crop", "--json");
    expect(JSON.parse(stdout).predictions).toHaveLength(5);
  });

  test("verify --browser: an installed browser, or one line that says how to get one", async () => {
    const verify = at("npx", "fivecrop", "verify", "node_modules/fivecrop/dist/models/pretrained/squeezenet1.1-imagenet.onnx", "--browser");
    if (namedBrowser() || installedBrowser() || hasNpmBrowser()) expect((await verify).stdout).toContain("every stage agrees");
    else
      await expect(verify).rejects.toMatchObject({
        code: 1,
        stderr: expect.stringMatching(
          /^fivecrop: no browser was found\. To fix: install Chrome .* npm install --save-dev @sparticuz\/chromium\.\n$/m, // npm may warn first
        ),
      });
  });

  test("trains with its data worker", async () => {
    await at(
      "npx",
      "fivecrop",
      "train",
      "--model",
      "lenet-bn",
      "--data",
      "fashion-mnist-sample",
      "--epochs",
      "1",
      "--batch-size",
      "100",
      "--out",
      "run",
      "--json",
    );
    expect(existsSync(join(folder, "run/model.onnx"))).toBe(true);
  });

  test("runs the README's script, word for word", async () => {
    writeFileSync(join(folder, "script.js"), readmeBlock("js", "exportTrained(engine"));
    const { stdout } = await at("node", "script.js");
    expect(stdout).toContain("epoch 3: validation accuracy 1");
    expect(stdout.trim().split("\n").at(-1)).toBe("right");
    expect(existsSync(join(folder, "halves.onnx"))).toBe(true);
  });

  test("runs the README's example of many files, on the model that its script made", async () => {
    mkdirSync(join(folder, "photos"));
    for (const name of ["bag.png", "dress.png"]) copyFileSync(join(SAMPLE_FOLDER, name), join(folder, "photos", name));
    writeFileSync(join(folder, "photos", "broken.jpg"), "no picture");
    writeFileSync(join(folder, "files.js"), readmeBlock("js", "classifyFiles(classifier"));
    const lines = (await at("node", "files.js")).stdout.trim().split("\n");
    expect(lines).toEqual([
      expect.stringMatching(/bag\.png (left|right)$/),
      expect.stringMatching(/broken\.jpg: cannot be read as a picture/),
      expect.stringMatching(/dress\.png (left|right)$/),
    ]);
  });

  test("runs the README's heat map of the shipped model", async () => {
    copyFileSync(join(root, "tests/fixtures/photos/shapes.jpg"), join(folder, "tabby.jpg"));
    const script = `
      import { loadClassifier, PRETRAINED } from "fivecrop";
      const classifier = await loadClassifier(PRETRAINED["squeezenet1.1-imagenet"]);
      ${readmeBlock("js", "explain: true")}
      console.log(JSON.stringify({ label, sides: [width, height], places: data.length, highest: Math.max(...data) }));
      await classifier.dispose();`;
    writeFileSync(join(folder, "explain.js"), script);
    const { label, sides, places, highest } = JSON.parse((await at("node", "explain.js")).stdout);
    expect(label).toMatch(/\w/);
    expect(places).toBe(sides[0] * sides[1]);
    expect(Math.max(...sides)).toBeLessThanOrEqual(512);
    expect(highest).toBe(1);
  });

  test("has types for Node and for a page", async () => {
    const source = `
      import { fit, loadClassifier, type FitEvent, type Classification } from "fivecrop";
      import { createEngine, loadClassifier as inPage, network } from "fivecrop/browser";
      export const classifyFile = async (model: Blob, file: File): Promise<Classification> => (await inPage(model)).classify(file);
      export const classify = async (file: string): Promise<Classification> => (await loadClassifier(file)).classify("boot.png", { views: "flip" });
      export const events: (...args: Parameters<typeof fit>) => AsyncGenerator<FitEvent, void, undefined> = fit;
      export const made = [createEngine, network] as const;
      // @ts-expect-error: a picture is a path, bytes or pixels, not a number
      export const wrong = async () => (await loadClassifier("m.onnx")).classify(1);
    `;
    writeFileSync(join(folder, "types.ts"), source);
    const tsc = join(root, "node_modules/typescript/bin/tsc");
    await at(process.execPath, tsc, "--noEmit", "--strict", "--skipLibCheck", "--module", "nodenext", "--target", "es2023", "types.ts");
  });
});
