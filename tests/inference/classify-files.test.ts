import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import sharp from "sharp";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { PictureError, UsageError } from "../../core/errors.ts";
import { loadClassifier, type NodeClassifierOptions } from "../../inference/classifier.node.ts";
import { classifyFiles, type FileAnswer } from "../../inference/classify-files.ts";
import { pictureFiles } from "../../inference/picture-files.node.ts";
import { LABELS, model, picture, withMetadata } from "./models.ts";

const folder = mkdtempSync(join(tmpdir(), "fivecrop-files-"));
afterAll(() => rmSync(folder, { recursive: true }));
const modelPath = join(folder, "m.onnx");
const pictures = join(folder, "pictures");
const COUNT = 40;
const BAD = 17;
const nameOf = (i: number): string => join(pictures, i < 20 ? "a" : "b", `${String(i).padStart(2, "0")}.png`);

beforeAll(async () => {
  writeFileSync(modelPath, withMetadata(model()));
  await mkdir(join(pictures, "a"), { recursive: true });
  await mkdir(join(pictures, "b"));
  await writeFile(join(pictures, "notes.txt"), "not a picture");
  for (let i = 0; i < COUNT; i++) {
    const { width, height, data } = picture(i % 4, i);
    const bytes = await sharp(data, { raw: { width, height, channels: 1 } })
      .png()
      .toBuffer();
    await writeFile(nameOf(i), i === BAD ? bytes.subarray(0, 40) : bytes);
  }
});

async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = [];
  for await (const item of items) found.push(item);
  return found;
}

async function answers(options: NodeClassifierOptions, ahead?: number): Promise<FileAnswer[]> {
  const classifier = await loadClassifier(modelPath, options);
  try {
    return await all(classifyFiles(classifier, pictureFiles([pictures]), { views: "five-crop", top: 1, ahead }));
  } finally {
    await classifier.dispose();
  }
}

describe("pictures in files", () => {
  test("a folder's pictures by name, in place of the folder; a file as it is named", async () => {
    const some = join(pictures, "notes.txt");
    expect(await all(pictureFiles([some, pictures]))).toEqual([some, ...Array.from({ length: COUNT }, (_, i) => nameOf(i))]);
  });

  test("a folder without pictures is refused", async () => {
    const empty = join(folder, "empty");
    await mkdir(empty);
    await expect(all(pictureFiles([empty]))).rejects.toThrow(`${empty}: expected a folder of JPEG, PNG`);
  });

  test.each<[string, NodeClassifierOptions, number | undefined]>([
    ["in this thread", { workers: 0 }, undefined],
    ["in threads", { workers: 2 }, undefined],
    ["in threads, batches smaller than one picture's views", { workers: 1, batchSize: 2 }, 3],
  ])("%s: in order, the bad one in its place, all others answered", async (_, options, ahead) => {
    const found = await answers(options, ahead);
    expect(found.map(({ file }) => file)).toEqual(Array.from({ length: COUNT }, (_, i) => nameOf(i)));
    found.forEach(({ classification, error }, i) => {
      if (i === BAD) {
        expect(error).toBeInstanceOf(PictureError);
        expect(error?.message).toContain(`${nameOf(BAD)}: this PNG is damaged or cut short`);
      } else expect(classification?.predictions[0].label).toBe(LABELS[i % 4]);
    });
  });

  test("threads and this thread give the same probabilities", async () => {
    const [here, there] = await Promise.all([answers({ workers: 0 }), answers({ workers: 2 })]);
    here.forEach(({ classification }, i) => {
      classification?.probabilities.forEach((p, k) => {
        expect(there[i].classification?.probabilities[k]).toBeCloseTo(p, 6);
      });
    });
  });

  test("who stops early gets no more, and wrong options are thrown, not reported", async () => {
    const classifier = await loadClassifier(modelPath, { workers: 1 });
    let asked = 0;
    const endless = function* (): Generator<string> {
      while (true) {
        asked++;
        yield nameOf(0);
      }
    };
    for await (const { file } of classifyFiles(classifier, endless(), { ahead: 5 })) {
      expect(file).toBe(nameOf(0));
      break;
    }
    expect(asked).toBe(5);
    await expect(all(classifyFiles(classifier, [nameOf(0)], { views: "five-corp" }))).rejects.toThrow(UsageError);
    await expect(all(classifyFiles(classifier, [nameOf(0)], { ahead: 0 }))).rejects.toThrow("ahead: expected a whole number of at least 1");
    await classifier.dispose();
  });
});
