import { describe, expect, test } from "vitest";
import { barLine } from "../../core/progress-bar.node.ts";
import { bytes, count, duration, learningRate, percent, printable, remaining, table, wrap } from "../../core/text.ts";
import { confusionLines, predictionLines } from "../../inference/text.ts";
import { createPace, exportedLine } from "../../training/show-run.node.ts";
import { toRunConfig } from "../../training/train-options.ts";

describe("the time left", () => {
  const step = (number: number, done: number) =>
    ({
      kind: "step",
      epoch: 1,
      batch: number,
      batches: 10,
      step: number,
      done,
      loss: 1,
      accuracy: 0,
      runningLoss: 1,
      runningAccuracy: 0,
      learningRate: 1,
      images: 8,
      seconds: 1,
    }) as const;

  test("follows the work, not the steps: the first of two epochs has images of half the side, a fifth of the work", () => {
    let seconds = 100;
    const pace = createPace(() => seconds * 1e3);
    pace.start({ kind: "start", epochs: 2, steps: 20, step: 0, done: 0 });
    seconds += 1;
    expect(pace.facts(step(1, 0.02))).toBe("loss 1.0000  acc. 0.00 %");
    seconds += 9;
    expect(pace.facts(step(10, 0.2))).toBe("loss 1.0000  acc. 0.00 %  8 img/s  40 s left");
  });

  test("counts what this process did, not the run before a stop", () => {
    let seconds = 0;
    const pace = createPace(() => seconds * 1e3);
    pace.start({ kind: "start", epochs: 2, steps: 20, step: 10, done: 0.5 });
    seconds += 10;
    pace.facts(step(11, 0.55));
    expect(pace.facts(step(12, 0.6))).toContain("40 s left");
  });
});

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
    expect([1, 0.01, 0.000383, 1.71e-5, 1.71e-6, 2e-8, 0].map(learningRate)).toEqual([
      "1.00",
      "0.0100",
      "0.000383",
      "0.0000171",
      "1.71e-6",
      "2.00e-8",
      "0.00",
    ]);
    expect([0.4, 9.2, 100].map(remaining)).toEqual(["0 s", "9 s", "1 min 40 s"]);
  });

  test("an exported file is said to be within 0, not 0e+0, of the network", () => {
    const line = (largestDifference: number) =>
      exportedLine({ kind: "exported", file: "m.onnx", bytes: 2e5, images: 64, largestDifference });
    expect(line(0)).toBe("m.onnx: 200 kB\n  verified on 64 images: probabilities within 0 of the trained network's");
    expect(line(4.2e-7)).toContain("within 4e-7 of");
  });

  test("a table's columns are aligned, its lines have no spaces at the end", () => {
    const rows = [
      ["views", "top-1"],
      ["five-crop", "9 %"],
      ["none", ""],
    ];
    expect(table(rows, { align: "lr", indent: 1, gap: 2 })).toEqual([" views      top-1", " five-crop    9 %", " none"]);
  });

  test("on a narrow terminal lines are broken between words, never inside one", () => {
    expect(wrap("  tabby cat      30.9 %  and more", 20)).toBe("  tabby cat\n      30.9 %  and\n      more");
    expect(wrap("a-word-that-is-longer-than-that b", 20)).toBe("a-word-that-is-longer-than-that\n    b");
    for (const columns of [undefined, 0, 23]) expect(wrap("  as it is  in a table", columns)).toBe("  as it is  in a table");
    const text = "a picture's name, and all that is said of it, in a long line of words";
    for (let columns = 10; columns < 80; columns++) {
      expect(wrap(text, columns).replace(/\s+/g, " ")).toBe(text);
      for (const row of wrap(text, columns).split("\n")) expect(row.length).toBeLessThanOrEqual(Math.max(columns, "picture's".length + 4));
    }
  });

  test("bars of probability take what the terminal leaves", () => {
    const predictions = [{ label: "tabby cat", classIndex: 1, probability: 1 }];
    expect(predictionLines(predictions, 14)[0]).toHaveLength(2 + 14 + 2 + 7 + 2 + 24);
    expect(predictionLines(predictions, 14, 40)[0]).toHaveLength(40);
    expect(predictionLines(predictions, 14, 20)[0]).toBe("  tabby cat       100.0 %");
  });

  test("what a terminal would obey is not passed on", () => {
    expect(printable("a\u001b[2Jb\u0007\u009b\r\nc\u0301 é")).toBe("a\ufffd[2Jb\ufffd\ufffd\ufffd\nc\u0301 é");
  });

  test("a narrow progress bar keeps the rate and the time that is left", () => {
    const payload = { label: "epoch 3/5", facts: "loss 0.3203  acc. 88.80 %  2,748 img/s  12 s left" };
    expect(barLine(40, 80, payload, 60)).toBe("epoch 3/5  50 %  acc. 88.80 %  2,748 img/s  12 s left");
    expect(barLine(40, 80, payload, 40)).toBe("epoch 3/5  50 %  2,748 img/s  12 s left");
    expect(barLine(40, 80, payload, 39)).toBe("epoch 3/5 50 % 2,748 img/s 12 s left");
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
