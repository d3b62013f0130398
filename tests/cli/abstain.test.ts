import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { encodePng } from "../../pipeline/encode.node.ts";
import { model, picture as noisy, withMetadata } from "../inference/models.ts";
import { writeTree } from "../pipeline/make-pictures.ts";
import { fivecrop, jsonLines, temporaryFolder } from "./run.ts";

let cwd: string;
beforeAll(async () => {
  cwd = await temporaryFolder();
  await writeFile(join(cwd, "m.onnx"), withMetadata(model()));
  const halves = await Promise.all([0, 1, 2, 3].map((k) => encodePng(noisy(k, k))));
  await writeTree(join(cwd, "photos"), {
    "left/0.png": halves[0],
    "right/1.png": halves[1],
    "top/2.png": halves[2],
    "bottom/3.png": halves[3],
    "bottom/wrong.png": halves[0],
  });
});

describe.concurrent("--abstain-below", () => {
  test("infer: a better probability answers, a worse one is not sure, with its best guess", async () => {
    const file = join("photos", "left", "0.png");
    const call = (...args: readonly string[]) => fivecrop(["infer", file, "--model", "m.onnx", ...args], { cwd });
    const [plain] = jsonLines((await call("--json")).stdout) as [{ predictions: { label: string; probability: number }[] }];
    const { label, probability } = plain.predictions[0];
    expect(plain).not.toHaveProperty("abstained");
    const [sure] = jsonLines((await call("--json", "--abstain-below", String(probability))).stdout);
    expect(sure).toEqual({ ...plain, abstained: false });
    const [unsure] = jsonLines((await call("--json", "--abstain-below", "1")).stdout);
    expect(unsure).toEqual({ ...plain, abstained: true, bestGuess: label });
    const { code, stdout } = await call("--abstain-below", "1", "--top", "2");
    expect(code).toBe(0);
    const [first, ...others] = stdout.trimEnd().split("\n");
    expect(first).toBe(`${file}: not sure, best guess ${label} (${(100 * probability).toFixed(1)} %, below 100 %)`);
    expect(others).toHaveLength(2);
  });

  test("evaluate: coverage, and accuracy of what is answered", async () => {
    const call = (...args: readonly string[]) => fivecrop(["evaluate", "m.onnx", "--data", "folder:photos", ...args], { cwd });
    const { code, stdout } = await call("--abstain-below", "0.4", "--json", "--tta", "none,flip");
    expect(code).toBe(0);
    for (const evaluation of jsonLines(stdout)) {
      const { below, images, coverage } = evaluation.abstention as { below: number; images: number; coverage: number };
      expect([below, coverage]).toEqual([0.4, images / 5]);
      expect(images).toBeGreaterThan(0);
    }
    const text = (await call("--abstain-below", "0.4")).stdout;
    expect(text).toMatch(
      /^answers below 40 % are "not sure":\nviews +answered +coverage +right of these +95 %\nnone +\d +\d+\.\d\d % +\d+\.\d\d % /m,
    );
    expect((await call("--abstain-below", "1")).stdout).toMatch(/^none +0 +0\.00 % +– +–$/m);
    expect((await call()).stdout).not.toContain("not sure");
  });

  test.each(["0", "60", "-1", "often"])("%s is refused", async (given) => {
    const { code, stderr } = await fivecrop(["infer", "photos", "--model", "m.onnx", "--abstain-below", given], { cwd });
    expect({ code, stderr }).toEqual({
      code: 2,
      stderr: `fivecrop: --abstain-below: expected a number above 0 and at most 1, received '${given}'.\n`,
    });
  });
});
