import { expect, test } from "vitest";
import { float32 } from "../../../core/tensor.ts";
import { createClassifier } from "../../../inference/classifier.ts";
import { createTally } from "../../../inference/tally.ts";
import { createNetwork } from "../../../models/architectures/index.ts";
import { initialParameters } from "../../../models/network.ts";
import { parseAugmentations } from "../../../pipeline/augmentations/text.ts";
import { bounded, inMemory } from "../../../pipeline/dataset.ts";
import type { Image } from "../../../pipeline/image.ts";
import { compareRuns, comparisonLines, elapsedAt } from "../../../training/report/compare.ts";
import { comparePage } from "../../../training/report/compare-page.ts";
import { confusionSection } from "../../../training/report/confusion.ts";
import { curvesSection, curvesSvg } from "../../../training/report/curves.ts";
import { html, trusted } from "../../../training/report/html.ts";
import { type Measured, measure } from "../../../training/report/measure.ts";
import { normLayers, spreadOf } from "../../../training/report/norms.ts";
import { optionText, trainCommandOf } from "../../../training/report/rerun.ts";
import { DEFAULTS, type RunConfig } from "../../../training/run-config.ts";
import { HERE, LABELS, model, picture, withMetadata } from "../../inference/models.ts";
import { historyOf, logsOf } from "./content.ts";

const config: RunConfig = { ...DEFAULTS, model: "m", data: "d" };

test("texts in a page are escaped, markup of our own is not", () => {
  const name = `<script>"it's" & more</script>`;
  expect(html`<p title="${name}">${name}${trusted("<b>b</b>")}${undefined}${false}${[1, html`<i>${"<"}</i>`]}</p>`.markup).toBe(
    '<p title="&lt;script&gt;&quot;it&#39;s&quot; &amp; more&lt;/script&gt;">&lt;script&gt;&quot;it&#39;s&quot; &amp; more&lt;/script&gt;<b>b</b>1<i>&lt;</i></p>',
  );
});

test("the command that runs the same again", () => {
  const specs = parseAugmentations("flip,random-crop:4");
  const made = {
    ...config,
    augmentations: specs,
    nesterov: true,
    momentum: 0.9,
    schedule: "step:5,0.1/epoch+warmup:50",
    weightDecay: 1e-4,
  };
  expect(trainCommandOf(made)).toBe(
    "fivecrop train --model m --data d --epochs 10 --batch-size 64 --optimizer adam --lr 0.001 --schedule step:5,0.1/epoch+warmup:50 --seed 0 " +
      "--validation 0.2 --label-smoothing 0 --augment flip,random-crop:4 --nesterov --momentum 0.9 --weight-decay 0.0001",
  );
  expect(parseAugmentations(optionText("augmentations", specs))).toEqual(specs);
  expect(trainCommandOf({ ...config, data: "folder:my pictures" })).toContain("--data 'folder:my pictures'");
});

test("an axis of accuracies ends at 100 %, not a step of 3 beyond", () => {
  const ticks = (highest: number) => {
    const svg = curvesSvg(
      [0.81, highest].map((trainingAccuracy, i) => ({ ...historyOf(2, 0.8)[i], trainingAccuracy, validationAccuracy: 0.93 })),
      "title",
    );
    return Array.from(svg.matchAll(/<text[^>]*>([\d.]+)<\/text>/g), ([, number]) => Number(number)).filter((number) => number > 80);
  };
  expect(Math.max(...ticks(1))).toBe(100);
  expect(Math.max(...ticks(0.95))).toBe(96);
});

test.each([
  [2, "table"],
  [20, "table"],
  [21, "picture"],
  [1000, "picture"],
])("the confusion matrix of %i classes is a %s", (classes, form) => {
  const tally = createTally(classes);
  for (let k = 0; k < classes; k++)
    for (const shift of [0, 0, 1])
      tally.add(
        Float64Array.from({ length: classes }, (_, i) => (i === (k + shift) % classes ? 0.9 : 0)),
        k,
      );
  const { markup } = confusionSection(tally.result(Array.from({ length: classes }, (_, k) => `class ${k}`)));
  const drawn = Array.from(markup.matchAll(/<path class="(hit|miss)"[^>]* d="([^"]*)"/g), ([, kind, d]) => [kind, d.split("M").length - 1]);
  expect(markup.includes('<table class="matrix">')).toBe(form === "table");
  expect(drawn).toEqual(
    form === "table"
      ? []
      : [
          ["hit", classes],
          ["miss", classes],
        ],
  );
  expect(markup.match(/33\.3 %/g)).toHaveLength(Math.min(classes, form === "table" ? 10 : 20));
  expect(markup.length).toBeLessThan(80_000);
});

test("quartiles, and the norm layers of a network", () => {
  expect(spreadOf(Float32Array.of(4, 1, 3, 2, 5))).toEqual([1, 2, 3, 4, 5]);
  expect(spreadOf(Float32Array.of(1, 2))).toEqual([1, 1.25, 1.5, 1.75, 2]);
  const net = createNetwork("fashion-cnn");
  const weights = { ...initialParameters(net, 0), "bn2.weight": float32(Array(32).fill(0.5)) };
  expect(normLayers(net.graph, weights).map(({ name, scale, shift }) => [name, scale[0], shift[0]])).toEqual([
    ["bn1", 1, 0],
    ["bn2", 0.5, 0],
    ["bn3", 1, 0],
  ]);
});

test("a measurement: each answer at the temperature, mistakes by their confidence, the other metrics without it", async () => {
  const images = Array.from({ length: 80 }, (_, i) => picture(i % 4, i));
  const labels = images.map((_, i) => (i % 5 === 0 ? (i + 1) % 4 : i % 4));
  const dataset = inMemory({ name: "halves", classNames: LABELS, images, labels });
  const classifier = await createClassifier<Image>(withMetadata(model()), HERE);
  const found: Measured[] = [];
  try {
    for await (const event of measure(classifier, bounded(dataset, 70), { temperature: 3, of: 80 }))
      if (event.kind === "measured") found.push(event.measured);
  } finally {
    await classifier.dispose();
  }
  const [{ images: measured, of, metrics, untempered, shown, mistakes }] = found;
  expect([found.length, measured, of, shown.length]).toEqual([1, 70, 80, 36]);
  expect(untempered?.top1).toBe(metrics.top1);
  expect(untempered?.loss).not.toBe(metrics.loss);
  expect(mistakes.length).toBe(Math.min(24, Math.round(70 * (1 - metrics.top1))));
  expect(mistakes.length).toBeGreaterThan(5);
  for (const [i, { truth, answer, confidence }] of mistakes.entries()) {
    expect(answer).not.toBe(truth);
    expect(confidence).toBeLessThanOrEqual(mistakes[Math.max(0, i - 1)].confidence);
  }
});

test("runs beside one another: what differs, and what stands against comparing them", () => {
  const run = (name: string, changes: Partial<RunConfig>, epochs = 10) => ({
    run: name,
    config: { ...config, ...changes },
    environment: { node: "20.19.0" },
    parameters: 62_058,
    history: historyOf(epochs),
    logs: [],
    finished: epochs === 10,
  });
  const same = compareRuns([run("a", { learningRate: 0.1 }), run("b", { learningRate: 0.2, nesterov: true })]);
  expect(same.differences).toEqual([
    { field: "learningRate", values: ["0.1", "0.2"] },
    { field: "nesterov", values: [undefined, "true"] },
  ]);
  expect(same.notes).toEqual(["No measured numbers of a, b: fivecrop report RUN makes them."]);
  const other = compareRuns([run("a", {}), run("b", { data: "e" }), run("c", { seed: 1 }, 4)]);
  expect(other.notes).toEqual([
    "These runs are of different data sets (d, e): their losses and accuracies cannot be compared.",
    "Not finished: c.",
    "No measured numbers of a, b, c: fivecrop report RUN makes them.",
  ]);
  expect(compareRuns([run("a", {}), run("c", { seed: 1 })]).notes[0]).toMatch(/may have kept other images for validation/);
  const own = { validation: undefined };
  expect(compareRuns([run("a", own), run("c", { ...own, seed: 1 })]).notes).toEqual(same.notes.map((note) => note.replace("a, b", "a, c")));
  const numbers = { split: "test", epoch: 5, of: 9000, top1: 0.5, top1Interval: [0.4, 0.6], top5: 1, loss: 1 } as const;
  const measured = (images: number) => ({
    ...run("a", {}),
    evaluation: { ...numbers, images, unreadable: 0, expectedCalibrationError: 0, temperature: 1, seconds: 1 },
  });
  expect(compareRuns([measured(9000), measured(9000)]).notes).toEqual([]);
  expect(compareRuns([measured(9000), measured(50)]).notes[0]).toMatch(/^The reports measured different numbers of images \(9,000, 50\)/);
  const lines = comparisonLines(other).join("\n");
  expect(lines).toMatch(/^c +m +d +62,058 +4 of 10 +75\.88 % \(4\) +– +50 s$/m);
  expect(lines).toMatch(/^ {2}seed +0 +0 +1$/m);
});

test("curves of a run: of its epochs, of its logs, of both, and of neither", () => {
  const logs = logsOf(1, 3);
  const said = (...args: Parameters<typeof curvesSection>): string => curvesSection(...args).markup;
  const neither = said([], []);
  expect(neither).toBe("<p>No epoch was finished: there are no curves yet.</p>");
  const logged = said([], logs);
  expect(logged).not.toContain("no curves yet");
  expect(logged).toContain("No epoch was finished: the curves are of what was logged within the first.");
  expect(logged.match(/<svg/g)).toHaveLength(3);
  expect(logged).toContain("Loss over 3 logs within the first epoch: training from 2 to 0.6667, validation from 2.1 to 0.8077.");
  expect(logged).toContain("<caption>Every log</caption>");
  expect(logged).not.toMatch(/undefined|NaN|<caption>Every epoch/);
  const epochs = said(historyOf(2), []);
  expect(epochs).toContain("Loss over 2 epochs: training from 2 to 1");
  expect(epochs).not.toContain("Every log");
  const both = said(historyOf(2), logsOf(2, 3));
  for (const caption of ["Every epoch", "Every log"]) expect(both).toContain(`<caption>${caption}</caption>`);
});

test("runs beside one another are drawn by their logs as well, and by the training loss", () => {
  const run = (name: string, epochs: number, logs: number) => ({
    run: name,
    config: { ...config, epochs: 2 },
    environment: {},
    parameters: 1,
    history: historyOf(epochs),
    logs: logsOf(epochs + 1, logs),
    finished: true,
  });
  const logged = run("logged", 1, 4);
  expect(logged.logs.map(({ epoch }) => epoch)).toEqual([0.2, 0.4, 0.6, 0.8, 1, 1.2, 1.4, 1.6]);
  const at = (log: (typeof logged.logs)[number]): number => +elapsedAt(logged, log).toFixed(6);
  expect(logged.logs.map(at)).toEqual([2.5, 5, 7.5, 10, 12.5, 15, 17.5, 20]); // the first epoch took 12.5 s, a log in the second 2.5 s
  const drawn = (runs: Parameters<typeof compareRuns>[0], title: string): string => {
    const page = comparePage(compareRuns(runs));
    return page.slice(page.indexOf(`<figcaption>${title}</figcaption>`)).split("</figure>")[0];
  };
  for (const up of ["Validation accuracy (%)", "Validation loss", "Training loss"])
    for (const across of ["epochs", "steps", "time"]) {
      const title = `${up} over ${across}`;
      const thin = (figure: string) => figure.match(/stroke-opacity="0.45"/g)?.length ?? 0;
      expect(thin(drawn([logged, run("b", 2, 0)], title))).toBe(1);
      expect(thin(drawn([run("a", 2, 0), run("b", 2, 0)], title))).toBe(0);
    }
  const [begun, other] = [run("begun", 0, 4), run("b", 2, 0)];
  expect(drawn([begun, other], "Training loss over epochs")).toContain("begun ends at 0.5");
  expect(drawn([begun, other], "Training loss over epochs")).not.toMatch(/NaN|nothing/);
});
