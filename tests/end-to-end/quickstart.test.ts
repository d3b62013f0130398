import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { fivecrop, jsonLines, temporaryFolder } from "../cli/run.ts";
import { RUN_LEFT } from "./run.ts";

test("the quickstart trains to at least 85 %, exports, evaluates and classifies", async () => {
  const cwd = await temporaryFolder();
  const { code, stdout } = await fivecrop(["quickstart", "--json"], { cwd });
  expect(code).toBe(0);
  const events = jsonLines(stdout);
  const of = (kind: string) => events.filter((event) => event.kind === kind);
  expect(of("exported")).toEqual([expect.objectContaining({ file: "runs/quickstart/model.onnx", images: 64 })]);
  const evaluations = of("evaluation") as unknown as { views: string; top1: number; images: number }[];
  expect(evaluations.map(({ views, images }) => [views, images])).toEqual([
    ["none", 1000],
    ["five-crop", 1000],
  ]);
  expect(evaluations[0].top1).toBeGreaterThanOrEqual(0.85);
  const classified = of("classification") as unknown as { file: string; predictions: { label: string }[] }[];
  const right = classified.filter(({ file, predictions }) => file.endsWith(`/${predictions[0].label.toLowerCase().replace(" ", "-")}.png`));
  expect(classified).toHaveLength(6);
  expect(right.length).toBeGreaterThanOrEqual(5);
  expect((await readdir(join(cwd, "runs/quickstart"))).sort()).toEqual(RUN_LEFT);
});
