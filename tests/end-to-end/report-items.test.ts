import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { readMetadata } from "../../export/metadata.ts";
import { temporaryFolder } from "../cli/run.ts";
import { succeed } from "./run.ts";

const TRAIN = ["train", "--model", "fashion-cnn", "--data", "fashion-mnist-sample", "--batch-size", "60", "--lr", "0.003"];

test("every item of a report is in that of a run with logs and a temperature", async () => {
  const cwd = await temporaryFolder();
  await succeed(cwd, [...TRAIN, "--epochs", "2", "--log-every", "30", "--no-report", "--out", "whole"]);
  await succeed(cwd, ["calibrate", "whole"]);
  const page = await readFile(join(cwd, "whole/report.html"), "utf8");
  const section = (id: string): string => page.split(`<section id="${id}"`)[1].split("</section>")[0];
  const count = (within: string, part: string): number => within.split(part).length - 1;
  const classNames = readMetadata(await readFile(join(cwd, "whole/model.onnx")))!.labels;
  const items: Readonly<Record<string, readonly [within: string, ...parts: string[]]>> = {
    "loss and accuracy": [
      section("curves"),
      "<figcaption>Loss<",
      "<figcaption>Accuracy (%)<",
      "Loss over 2 epochs: training from",
      ", validation from",
    ],
    "learning rate": [section("curves"), "<figcaption>Learning rate", "learning rate from 0.003 to 0.003"],
    logs: [section("curves"), "<caption>Every epoch<", "<caption>Every log<"],
    "best epoch": [page, "<dt>best epoch</dt>", "The best epoch is ", ", best</strong>"],
    "top-1 and top-5": [page, "<dt>top-1, test</dt>", "<dt>top-5, test</dt>"],
    "confusion matrix": [section("confusions"), "<caption>Confusion matrix</caption>", ...classNames],
    "per-class accuracy": [section("classes"), "<caption>Classes, the worst first</caption>", ...classNames],
    reliability: [section("calibration"), "<figcaption>Reliability<", "Reliability diagram", "Expected calibration error: <strong>"],
    "before and after calibration": [section("calibration"), "before calibration", "<caption>Before and after calibration"],
    pictures: [section("pictures"), '<li class="right"><img src="data:image/', 'class="truth">true: '],
    mistakes: [section("mistakes"), '<li class="wrong"><img src="data:image/', 'class="truth">true: '],
    "norm layers": [section("norms"), "<figcaption>Scale (γ)<", "<figcaption>Shift (β)<", "bn1", "bn2", "bn3"],
    environment: [section("again"), "onnxruntime-node", ">node<", ">platform<", ">processor<", ">device<", ">started<"],
    "how to run it again": [section("again"), "fivecrop train --model fashion-cnn --data fashion-mnist-sample", "--log-every 30"],
  };
  for (const [item, [within, ...parts]] of Object.entries(items))
    for (const part of parts) expect(within, `${item}: ${part}`).toContain(part);
  expect(count(section("pictures"), "<li class=")).toBe(36);
  expect(count(section("mistakes"), '<li class="wrong"')).toBe(24);
  expect(count(section("mistakes"), '<li class="right"')).toBe(0);
  expect(page).not.toMatch(/<script|src="(?!data:)|href="(?!data:|#)|url\((?!#)/);
});
