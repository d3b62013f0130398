import { describe, expect, test } from "vitest";
import { barLine } from "../../core/progress-bar.node.ts";
import { bytes, count, duration, percent, remaining, table } from "../../core/text.ts";
import { confusionLines } from "../../inference/text.ts";
import { toRunConfig } from "../../training/train-options.ts";

describe("text", () => {
  test("numbers", () => {
    expect([count(62058), percent(0.9183), percent(undefined), percent(1, 1)]).toEqual(["62,058", "91.83 %", "–", "100.0 %"]);
    expect([999, 1500, 251_900, 3_200_000, 5.15e8].map(bytes)).toEqual(["999 B", "1.5 kB", "252 kB", "3.2 MB", "515 MB"]);
    expect([0, 8.25, 9.96, 12.4, 59.7, 72, 7380].map(duration)).toEqual([
      "0.0 s",
      "8.3 s",
      "10.0 s",
      "12 s",
      "1 min 0 s",
      "1 min 12 s",
      "2 h 3 min",
    ]);
    expect([0.4, 9.2, 100].map(remaining)).toEqual(["0 s", "9 s", "1 min 40 s"]);
  });

  test("a table's columns are aligned, its lines have no spaces at the end", () => {
    const rows = [
      ["views", "top-1"],
      ["five-crop", "9 %"],
      ["none", ""],
    ];
    expect(table(rows, { align: "lr", indent: 1, gap: 2 })).toEqual([" views      top-1", " five-crop    9 %", " none"]);
  });

  test.each([40, 60, 80, 120, 200])("a progress bar fits into %i columns", (columns) => {
    const payload = { label: "epoch 3/5  step 40/80", facts: "loss 0.3203  acc. 88.80 %  2,748 img/s  12 s left" };
    for (const done of [0, 1, 40, 79, 80]) {
      const line = barLine(done, 80, payload, columns);
      expect(line.length).toBeLessThan(columns);
      expect(line).toContain("epoch 3/5  step 40/80");
      if (columns >= 80) expect(line).toContain("loss 0.3203  acc. 88.80 %  2,748 img/s  12 s left");
    }
    expect(barLine(40, 80, payload, 130)).toMatch(/^epoch 3\/5 {2}step 40\/80 {2}━{16}╌{16} {3}50 % {2}loss 0\.3203 .* 12 s left$/);
    expect(barLine(0, 0, payload, 120)).toContain(" 0 % ");
  });

  test("a confusion matrix, or its largest entries where it does not fit", () => {
    const evaluation = {
      views: "none",
      perClass: ["cat", "dog", "bird"].map((label) => ({ label, images: 10, accuracy: 0.8 })),
      confusion: [
        [8, 2, 0],
        [1, 9, 0],
        [0, 5, 5],
      ],
    };
    expect(confusionLines(evaluation, 80).slice(1)).toEqual([
      "         0  1  2",
      "0  cat   8  2  ·",
      "1  dog   1  9  ·",
      "2  bird  ·  5  5",
    ]);
    expect(confusionLines(evaluation, 10)).toEqual([
      "most frequent confusions, none",
      "5   bird   taken for   dog",
      "2   cat    taken for   dog",
      "1   dog    taken for   cat",
    ]);
  });
});

describe("train options", () => {
  test("what is not asked for has its default", () => {
    expect(toRunConfig({ model: "m", data: "d", lr: 0.01, epochs: 3, out: "runs/a", json: true })).toEqual({
      model: "m",
      data: "d",
      epochs: 3,
      batchSize: 64,
      optimizer: "adam",
      learningRate: 0.01,
      schedule: "constant",
      seed: 0,
      validation: 0.2,
      labelSmoothing: 0,
      augmentations: [],
    });
  });
});
