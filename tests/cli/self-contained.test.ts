import { existsSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { selfContained } from "../../export/self-contained.ts";
import { metadata, model, withMetadata } from "../inference/models.ts";
import { fivecrop, jsonLines, picture, temporaryFolder } from "./run.ts";

const cwd = await temporaryFolder();
await writeFile(join(cwd, "whole.onnx"), selfContained(model(), { metadata, views: "five-crop" }));
await writeFile(join(cwd, "m.onnx"), withMetadata(model()));
const infer = (...args: readonly string[]) => fivecrop(["infer", picture("bag"), ...args], { cwd });

describe.concurrent("a self-contained file on the command line", () => {
  test("infer answers as with the file that it was made of", async () => {
    const asked = ["--json", "--tta", "five-crop"];
    const [found, expected] = await Promise.all([infer("--model", "whole.onnx", ...asked), infer("--model", "m.onnx", ...asked)]);
    expect([found.code, found.stderr]).toEqual([0, ""]);
    const [ours, theirs] = [found, expected].map(
      ({ stdout }) => jsonLines(stdout)[0].predictions as { label: string; probability: number }[],
    );
    expect(ours.map(({ label }) => label)).toEqual(theirs.map(({ label }) => label));
    ours.forEach(({ probability }, i) => {
      expect(Math.abs(probability - theirs[i].probability)).toBeLessThan(1e-3);
    });
    expect((await infer("--model", "whole.onnx", "--top", "2")).stdout).toMatch(/bag\.png\n {2}\S+ +\d+\.\d %.*\n {2}\S+ +\d+\.\d %.*\n$/);
  });

  test("export takes a preprocessing by name, as infer does", async () => {
    const words = ["export", "m.onnx", "--self-contained", "--preset", "imagenet", "--out", "photos.onnx"];
    const { code, stderr } = await fivecrop(words, { cwd });
    expect(stderr).toContain("the preprocessing makes float32 [N,3,224,224]");
    expect({ code, written: existsSync(join(cwd, "photos.onnx")) }).toEqual({ code: 1, written: false });
    const both = await fivecrop([...words, "--preprocess", "{}"], { cwd });
    expect([both.code, both.stderr]).toEqual([2, expect.stringContaining("expected either --preset or --preprocess, received both")]);
    const ofRun = await fivecrop(["export", "run", "--preset", "imagenet"], { cwd });
    expect([ofRun.code, ofRun.stderr]).toEqual([2, expect.stringContaining("--preset: is of a model's file, received run")]);
  });

  test.each([
    [["--per-view"], "--per-view: whole.onnx is self-contained, its graph makes its views itself"],
    [["--save-views", "views"], "--save-views: whole.onnx is self-contained"],
    [["--tta", "none"], "whole.onnx is self-contained: its graph averages over five-crop itself"],
    [["--explain"], "whole.onnx is self-contained"],
  ])("infer %j is refused", async (args, message) => {
    const { code, stdout, stderr } = await infer("--model", "whole.onnx", ...args);
    expect(stderr).toContain(message);
    expect(stderr).toMatch(/^fivecrop: .+\n$/);
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
  });
});
