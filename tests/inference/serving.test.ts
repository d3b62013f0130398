import { execFile } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { promisify } from "node:util";
import { afterAll, describe, expect, test } from "vitest";
import { UsageError } from "../../core/errors.ts";
import { createSession } from "../../core/session.node.ts";
import { tensor } from "../../core/tensor.ts";
import { appendMetadata } from "../../export/metadata.ts";
import { serialize } from "../../export/serialize.ts";
import { loadClassifier } from "../../inference/classifier.node.ts";
import { createClassifier } from "../../inference/classifier.ts";
import { graphBuilder } from "../../models/ops/index.ts";
import type { Image } from "../../pipeline/image.ts";
import { VIEWS } from "../../pipeline/views.ts";
import { HERE, LABELS, metadata, model, picture, SIDE, withMetadata } from "./models.ts";

const folder = mkdtempSync(join(tmpdir(), "fivecrop-serving-"));
afterAll(() => rmSync(folder, { recursive: true }));

/** A classifier that takes tens of milliseconds a picture: products of large matrices, whose sum, zero, is added to every logit. */
function slowModel(): Uint8Array {
  const g = graphBuilder();
  const images = g.input("images", "float32", ["N", 1, SIDE, SIDE]);
  const side = 512;
  const wide = g.initializer("wide", tensor("float32", [SIDE * SIDE, side], new Float32Array(SIDE * SIDE * side)));
  const square = g.initializer("square", tensor("float32", [side, side], new Float32Array(side * side)));
  const tall = g.initializer("tall", tensor("float32", [side, side * 8], new Float32Array(side * side * 8)));
  const back = g.initializer("back", tensor("float32", [side * 8, side], new Float32Array(side * side * 8)));
  const last = g.initializer("last", tensor("float32", [side, LABELS.length], new Float32Array(side * LABELS.length)));
  let y = g.add("MatMul", [g.add("Flatten", [images]), wide], {}, "in");
  for (let i = 0; i < 30; i++) y = g.add("MatMul", [g.add("MatMul", [g.add("MatMul", [y, square]), tall]), back], {}, `layer${i}`);
  return appendMetadata(serialize(g.build("slow", [g.add("MatMul", [y, last], {}, "logits")])), metadata);
}

describe("loadClassifier in Node", () => {
  test("a 10 ms timer keeps firing while pictures are classified", async () => {
    const classifier = await loadClassifier(slowModel(), { threads: 1, workers: 1 });
    await classifier.classify(picture(0));
    let ticks = 0;
    let last = performance.now();
    let longest = 0;
    const timer = setInterval(() => {
      ticks++;
      longest = Math.max(longest, performance.now() - last);
      last = performance.now();
    }, 10);
    const start = performance.now();
    let calls = 0;
    while (performance.now() - start < 1000) {
      await Promise.all(Array.from({ length: 16 }, (_, i) => classifier.classify(picture(i % 4, i), { views: "ten-crop" })));
      calls += 16;
    }
    const seconds = (performance.now() - start) / 1000;
    clearInterval(timer);
    await classifier.dispose();
    expect(1000 * (seconds / calls), "milliseconds a call: the model must take long enough to be seen").toBeGreaterThan(2);
    expect(ticks, "of at most 100 a second").toBeGreaterThan((100 * seconds) / 2);
    expect(longest, "milliseconds without a tick: less than eight of sixteen pictures take").toBeLessThan(8 * 1000 * (seconds / calls));
  });

  test("sessions: several copies of the network, the same answers in the same order", async () => {
    const bytes = withMetadata(model());
    const [one, two] = await Promise.all([loadClassifier(bytes), loadClassifier(bytes, { sessions: 2, batchSize: 4 })]);
    const order: number[] = [];
    const answers = await Promise.all(
      Array.from({ length: 40 }, async (_, i) => {
        const answer = await two.classify(picture(i % 4, i), { views: "five-crop" });
        order.push(i);
        return answer;
      }),
    );
    expect(order).toEqual(Array.from({ length: 40 }, (_, i) => i));
    for (const [i, answer] of answers.entries()) {
      const { probabilities } = await one.classify(picture(i % 4, i), { views: "five-crop" });
      for (const [k, p] of probabilities.entries()) expect(answer.probabilities[k]).toBeCloseTo(p, 6);
    }
    await Promise.all([one.dispose(), two.dispose()]);
    await expect(loadClassifier(bytes, { sessions: 0 })).rejects.toThrow(UsageError);
  });

  test("many calls at once: each its own answer, in order, in batches", async () => {
    const bytes = withMetadata(model());
    const batches: number[] = [];
    const classifier = await createClassifier<Image>(bytes, {
      ...HERE,
      async createSession(file, options) {
        const session = await createSession(file, options);
        const run: typeof session.run = (feeds, fetches) => {
          batches.push(feeds.images.shape[0]);
          return session.run(feeds, fetches);
        };
        return { ...session, run };
      },
    });
    const order: number[] = [];
    const asked = Array.from({ length: 50 }, async (_, i) => {
      const answer = await classifier.classify(picture(i % 4, i), { views: i % 2 ? "five-crop" : "none" });
      order.push(i);
      return answer;
    });
    const found = await Promise.all(asked);
    expect(order).toEqual(Array.from({ length: 50 }, (_, i) => i));
    found.forEach(({ predictions, views }, i) => {
      expect([predictions[0].label, views.length]).toEqual([LABELS[i % 4], i % 2 ? 5 : 1]);
    });
    expect(batches.reduce((a, b) => a + b)).toBe(25 * 6);
    expect(batches.length).toBeLessThanOrEqual(5);
    expect(Math.max(...batches)).toBeLessThanOrEqual(64);
    await classifier.dispose();
  });

  test("dispose rejects what is not yet answered", async () => {
    const classifier = await loadClassifier(slowModel(), { threads: 1, workers: 1 });
    const asked = Promise.allSettled(Array.from({ length: 200 }, (_, i) => classifier.classify(picture(i % 4, i))));
    await classifier.dispose();
    const reasons = (await asked).flatMap((one) => (one.status === "rejected" ? [String(one.reason.message)] : []));
    expect(reasons.length).toBeGreaterThan(100);
    for (const reason of reasons) expect(reason).toMatch(/was disposed of|were disposed of/);
    await expect(classifier.classify(picture(0))).rejects.toThrow("the model: the classifier was disposed of");
  });

  test.each([0, 1])("a second dispose waits for the first, and what is asked afterwards is told so, %i workers", async (workers) => {
    const classifier = await loadClassifier(withMetadata(model()), { workers });
    const asked = Promise.allSettled([classifier.classify(picture(0)), classifier.classifyBatch([picture(1)])]);
    await Promise.all([classifier.dispose(), classifier.dispose()]);
    await classifier.dispose();
    for (const one of await asked) if (one.status === "rejected") expect(String(one.reason)).toContain("disposed of");
    const message = "the model: the classifier was disposed of";
    await expect(classifier.classify(picture(0))).rejects.toThrow(message);
    await expect(classifier.classifyBatch([picture(0)])).rejects.toThrow(message);
    await expect(classifier.probabilities([() => picture(0)], VIEWS.none)).rejects.toThrow(message);
  });

  test("workers: a number from 0", async () => {
    await expect(loadClassifier(withMetadata(model()), { workers: -1 })).rejects.toThrow(
      "workers: expected a whole number of at least 0, received -1.",
    );
  });

  test("a script that does not dispose can end, and one that waits for answers gets them", async () => {
    const file = join(folder, "m.onnx");
    writeFileSync(file, withMetadata(model()));
    const script = `
      const { loadClassifier } = await import("${pathToFileURL("dist/index.js")}");
      const classifier = await loadClassifier(${JSON.stringify(file)});
      const image = { width: 8, height: 8, channels: 1, data: new Uint8Array(64) };
      const answers = await Promise.all([1, 2, 3].map(() => classifier.classify(image)));
      console.log(answers.length);`;
    const { stdout } = await promisify(execFile)(process.execPath, ["--input-type=module", "-e", script], { timeout: 30_000 });
    expect(stdout).toBe("3\n");
  });
});
