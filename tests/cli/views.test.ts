import { readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { tensor } from "../../core/tensor.ts";
import { serialize } from "../../export/serialize.ts";
import { graphBuilder } from "../../models/ops/index.ts";
import { FASHION_MNIST_CLASSES } from "../../pipeline/datasets/fashion-mnist.ts";
import { readImage } from "../../pipeline/decode.node.ts";
import { nameOfView, parseViews, viewImages } from "../../pipeline/views.ts";
import { normal } from "../export/graphs.ts";
import { colourModel, colourPreprocess, metadata, model, withMetadata } from "../inference/models.ts";
import { fivecrop, jsonLines, picture, temporaryFolder } from "./run.ts";

async function modelFolder(bytes = withMetadata(model())): Promise<string> {
  const cwd = await temporaryFolder();
  await writeFile(join(cwd, "m.onnx"), bytes);
  return cwd;
}

interface Answer {
  readonly file: string;
  readonly predictions: readonly { readonly label: string; readonly probability: number }[];
  readonly views?: readonly { readonly view: string; readonly predictions: Answer["predictions"] }[];
  readonly saved?: readonly string[];
}
const answers = (stdout: string) => jsonLines(stdout) as unknown as Answer[];

describe.concurrent("infer --per-view", () => {
  test("JSON: each view by name; the answer is their mean", async () => {
    const cwd = await modelFolder();
    const args = ["infer", picture("bag"), picture("dress"), "--model", "m.onnx", "--tta", "ten-crop", "--per-view", "--json"];
    const found = answers((await fivecrop(args, { cwd })).stdout);
    expect(found).toHaveLength(2);
    for (const { predictions, views, ...rest } of found) {
      expect(rest).not.toHaveProperty("saved");
      expect(views?.map(({ view }) => view)).toEqual(parseViews("ten-crop").map(nameOfView));
      for (const { label, probability } of predictions) {
        const shares = views!.map((view) => view.predictions.find((each) => each.label === label)!.probability);
        expect(shares.reduce((a, b) => a + b, 0) / 10).toBeCloseTo(probability, 6);
      }
    }
    expect(
      answers(
        (
          await fivecrop(
            args.filter((arg) => arg !== "--per-view"),
            { cwd },
          )
        ).stdout,
      )[0],
    ).not.toHaveProperty("views");
  });

  test("for people: a line a view below the average, as many classes as --top", async () => {
    const cwd = await modelFolder();
    const args = ["infer", picture("bag"), "--model", "m.onnx", "--tta", "multi-scale:8,12", "--per-view", "--top", "2"];
    const lines = (await fivecrop(args, { cwd })).stdout.trimEnd().split("\n");
    expect(lines).toHaveLength(6);
    expect(lines[3]).toBe("  each view alone:");
    const name = "(left|right|top|bottom)";
    for (const [i, view] of ["center-8", "center-12"].entries())
      expect(lines[4 + i]).toMatch(new RegExp(`^ {4}${view} +${name} +\\d+\\.\\d % +${name} +\\d+\\.\\d %$`));
  });
});

describe.concurrent("infer --save-views", () => {
  test.each([
    ["gray", withMetadata(model()), metadata.preprocess],
    ["colour", colourModel(), colourPreprocess],
  ])("%s: what the model sees, to the pixel, as DIR/PICTURE.VIEW.png", async (_, bytes, spec) => {
    const cwd = await modelFolder(bytes);
    const args = ["infer", picture("bag"), "--model", "m.onnx", "--tta", "five-crop", "--save-views", "a/views", "--json"];
    const { code, stdout, stderr } = await fivecrop(args, { cwd });
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    const views = parseViews("five-crop");
    const [{ saved }] = answers(stdout);
    expect(saved).toEqual(views.map((view) => join("a/views", `bag.${nameOfView(view)}.png`)));
    expect((await readdir(join(cwd, "a/views"))).sort()).toEqual(saved!.map((path) => path.slice("a/views/".length)).sort());
    const expected = viewImages(await readImage(picture("bag")), views, spec);
    for (const [i, path] of saved!.entries()) expect(await readImage(join(cwd, path))).toEqual(expected[i]);
  });

  test("for people it says where; a bad picture has no views and the others are saved", async () => {
    const cwd = await modelFolder();
    await writeFile(join(cwd, "bad.png"), "no picture");
    const { code, stdout } = await fivecrop(["infer", "bad.png", picture("bag"), "--model", "m.onnx", "--save-views", "views"], { cwd });
    expect(code).toBe(1);
    expect(stdout).toContain(`  saved: ${join("views", "bag.center.png")}\n`);
    expect(await readdir(join(cwd, "views"))).toEqual(["bag.center.png"]);
  });

  test("a folder that cannot be made", async () => {
    const cwd = await modelFolder();
    const { code, stderr } = await fivecrop(["infer", picture("bag"), "--model", "m.onnx", "--save-views", "m.onnx/views"], { cwd });
    expect(stderr).toMatch(
      /^fivecrop: --save-views: cannot make the directory m\.onnx\/views: .*To fix: choose a place that can be written\.\n$/,
    );
    expect(code).toBe(1);
  });
});

/** A linear model of ten classes and small gray pictures, of any weights. */
function tenClasses(): Uint8Array {
  const g = graphBuilder();
  const { data } = normal([10, 64], 1, 0.1);
  const pixels = g.add("Flatten", [g.input("images", "float32", ["N", 1, 8, 8])]);
  const logits = g.add("Gemm", [pixels, g.initializer("weight", tensor("float32", [10, 64], data))], { transB: 1 });
  return withMetadata(serialize(g.build("any", [logits])), { labels: FASHION_MNIST_CLASSES });
}

describe("evaluate --tta A,B,C", () => {
  const evaluate = async (...args: readonly string[]) =>
    fivecrop(["evaluate", "m.onnx", "--data", "fashion-mnist-sample", "--limit", "60", ...args], {
      cwd: await modelFolder(tenClasses()),
    });

  test("each in one pass, compared with none, which is measured too", async () => {
    const rows = jsonLines((await evaluate("--tta", "flip,multi-scale:8,10,five-crop", "--json")).stdout);
    expect(rows.map(({ views }) => views)).toEqual(["none", "flip", "multi-scale:8,10", "five-crop"]);
    const [none, ...others] = rows as { top1: number; againstNone?: { fixed: number; broke: number } }[];
    expect(none).not.toHaveProperty("againstNone");
    for (const { top1, againstNone } of others) expect(60 * (top1 - none.top1)).toBeCloseTo(againstNone!.fixed - againstNone!.broke, 9);
  });

  test("for people: two columns and what they mean; one choice of views alone has none", async () => {
    const { stdout } = await evaluate("--tta", "none", "--tta", "ten-crop");
    expect(stdout).toMatch(
      /^views +top-1 +top-5 +loss +ECE +fixed +broke\nnone .*\nten-crop .* \d+ +\d+\nECE: .*\nfixed: wrong with none/m,
    );
    expect((await evaluate("--tta", "ten-crop")).stdout).not.toContain("fixed");
  });
});
