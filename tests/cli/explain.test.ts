import { copyFile, mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { readMetadata } from "../../export/metadata.ts";
import { parse } from "../../export/parse.ts";
import { summarize } from "../../models/graph/summary.ts";
import { readImage } from "../../pipeline/decode.node.ts";
import { brightnessModel, model, withMetadata } from "../inference/models.ts";
import { fivecrop, jsonLines, picture, temporaryFolder } from "./run.ts";

async function place(bytes = brightnessModel()): Promise<string> {
  const cwd = await temporaryFolder();
  await writeFile(join(cwd, "m.onnx"), bytes);
  for (const name of ["bag", "dress"]) await copyFile(picture(name), join(cwd, `${name}.png`));
  return cwd;
}

describe.concurrent("infer --explain", () => {
  test("writes the heat map over the picture, beside it", async () => {
    const cwd = await place();
    const { code, stdout, stderr } = await fivecrop(["infer", "bag.png", "--model", "m.onnx", "--explain"], { cwd });
    expect([code, stderr]).toEqual([0, ""]);
    expect(stdout).toMatch(/ {2}why (bright|dark) \(Grad-CAM at map\): bag\.explain\.png\n$/);
    const shown = await readImage(join(cwd, "bag.explain.png"));
    expect([shown.width, shown.height, shown.channels]).toEqual([252, 252, 3]); // 28 · 9: small pictures are enlarged
    expect(new Set(shown.data).size).toBeGreaterThan(20);
  });

  test("heat maps beside pictures are no pictures of the folder: neither to answer nor to train on", async () => {
    const cwd = await place();
    expect((await fivecrop(["infer", "bag.png", "dress.png", "--model", "m.onnx", "--explain"], { cwd })).code).toBe(0);
    const answered = await fivecrop(["infer", ".", "--model", "m.onnx", "--json"], { cwd });
    expect(jsonLines(answered.stdout).map(({ file }) => file)).toEqual(["bag.png", "dress.png"]);
    expect((await readdir(cwd)).sort()).toEqual(["bag.explain.png", "bag.png", "dress.explain.png", "dress.png", "m.onnx"]);
    for (const name of ["bag", "dress"]) {
      await mkdir(join(cwd, "data", name), { recursive: true });
      for (const file of [`${name}.png`, `${name}.explain.png`]) await copyFile(join(cwd, file), join(cwd, "data", name, file));
    }
    const { stdout } = await fivecrop(["datasets", "info", "folder:data"], { cwd });
    expect(stdout).toContain("2 all");
  });

  test("several pictures into a folder, a class by name, as JSON", async () => {
    const cwd = await place();
    const args = ["infer", ".", "--model", "m.onnx", "--explain-to", "why/here", "--class", "bright", "--tta", "five-crop", "--json"];
    const { code, stdout } = await fivecrop(args, { cwd });
    expect(code).toBe(0);
    expect(jsonLines(stdout).map(({ explanation }) => explanation)).toEqual(
      ["bag", "dress"].map((name) => ({ label: "bright", classIndex: 0, layer: "map", saved: join("why/here", `${name}.explain.png`) })),
    );
    expect(await readdir(join(cwd, "why/here"))).toEqual(["bag.explain.png", "dress.explain.png"]);
    const other = await fivecrop(["infer", "bag.png", "--model", "m.onnx", "--explain", "--class", "dark"], { cwd });
    expect(other.code).toBe(0);
    expect(await readFile(join(cwd, "bag.explain.png"))).not.toEqual(await readFile(join(cwd, "why/here/bag.explain.png")));
  });

  test.each([
    [["bag.png", "--class", "dark"], "--class: expected --explain beside it", 2],
    [["bag.png", "--layer", "map"], "--layer: expected --explain beside it", 2],
    [[".", "--explain"], "--explain: . is a folder, whose pictures the heat maps would be among", 2],
    [["bag.png", "sub/bag.png", "--explain-to", "out"], "would be written to the same file", 2],
    [["bag.png", "--explain", "--class", "dusk"], "class: m.onnx has no class 'dusk'", 2],
    [["bag.png", "--explain", "--layer", "maps"], "layer: there is no node 'maps'. The nearest names are 'map'", 2],
    [["bag.png", "--explain-to", "m.onnx/out"], "--explain-to: cannot make the directory m.onnx/out", 1],
  ])("%j is refused, and nothing is written", async (args, message, expected) => {
    const cwd = await place();
    await mkdir(join(cwd, "sub"));
    await copyFile(join(cwd, "bag.png"), join(cwd, "sub/bag.png"));
    const { code, stderr } = await fivecrop(["infer", ...args, "--model", "m.onnx"], { cwd });
    expect(stderr).toContain(message);
    expect(code).toBe(expected);
    expect((await readdir(cwd)).sort()).toEqual(["bag.png", "dress.png", "m.onnx", "sub"]);
  });

  test("a model without a map of features", async () => {
    const cwd = await place(withMetadata(model()));
    const { code, stderr } = await fivecrop(["infer", "bag.png", "--model", "m.onnx", "--explain"], { cwd });
    expect([code, stderr]).toEqual([1, expect.stringContaining("m.onnx: expected a map of features [N, C, h, w]")]);
  });
});

describe.concurrent("export --explain", () => {
  test("a model's file with the heat map as its second output, that still answers the same", async () => {
    const cwd = await place();
    const { code, stdout, stderr } = await fivecrop(["export", "m.onnx", "--explain"], { cwd });
    expect([code, stderr]).toEqual([0, ""]);
    expect(stdout).toMatch(/^m-explained\.onnx: .*\n {2}second output heat_map: Grad-CAM of the most probable class at map\n$/);
    const bytes = await readFile(join(cwd, "m-explained.onnx"));
    expect(summarize(parse(bytes)).outputs).toEqual(["logits: float32[N,2]", "heat_map: float32[N,8,8]"]);
    expect(readMetadata(bytes)?.samples?.samples).toHaveLength(3);
    const answers = await Promise.all(
      ["m.onnx", "m-explained.onnx"].map((file) =>
        fivecrop(["infer", "bag.png", "--model", file, "--tta", "five-crop", "--json"], { cwd }),
      ),
    );
    expect(answers[1]).toEqual(answers[0]);
    expect((await fivecrop(["verify", "m-explained.onnx"], { cwd })).stdout).toContain("every stage agrees");
    expect((await fivecrop(["infer", "bag.png", "--model", "m-explained.onnx", "--explain"], { cwd })).code).toBe(0);
  });

  test.each([
    [["m.onnx", "--explain", "--self-contained"], "--explain: expected --explain or --self-contained, received both"],
    [["m.onnx", "--self-contained", "--layer", "map"], "--layer: needs --explain"],
    [["m.onnx", "--explain", "--tta", "flip"], "--tta: needs --self-contained"],
    [["m.onnx"], "To fix: add --self-contained or --explain."],
    [["m.onnx", "--explain", "--layer", "logits"], "m.onnx: layer 'logits' is float32[N,2], expected a map of features"],
  ])("%j is refused", async (args, message) => {
    const cwd = await place();
    const { code, stderr } = await fivecrop(["export", ...args], { cwd });
    expect(stderr).toContain(message);
    expect(code).toBe(2);
    expect(await readdir(cwd)).toHaveLength(3);
  });
});
