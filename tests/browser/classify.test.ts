import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { appendMetadata } from "../../export/metadata.ts";
import { loadClassifier } from "../../inference/classifier.node.ts";
import { model, withMetadata } from "../inference/models.ts";
import { type LibraryPage, openLibrary } from "./library-page.ts";

const FIXTURES = join(import.meta.dirname, "../fixtures");
const SHARED = join(import.meta.dirname, "../../../shared");
const filesIn = (folder: string, pattern: RegExp): Uint8Array[] =>
  readdirSync(folder)
    .filter((file) => pattern.test(file))
    .map((file) => readFileSync(join(folder, file)));

let library: LibraryPage;
beforeAll(async () => {
  library = await openLibrary();
});
afterAll(() => library.close());

async function expectNodesAnswers(bytes: Uint8Array, pictures: readonly Uint8Array[], views: string): Promise<void> {
  const classifier = await loadClassifier(bytes);
  const expected = await classifier.classifyBatch(pictures, { views });
  await classifier.dispose();
  const found = await library.classify(bytes, pictures, views);
  expect(found.length).toBe(pictures.length);
  found.forEach((probabilities, i) => {
    const largest = Math.max(...probabilities.map((p, k) => Math.abs(p - expected[i].probabilities[k])));
    expect(largest).toBeLessThan(1e-4);
  });
}

test("a page's probabilities are Node's, on PNG and JPEG, from blobs and files", async () => {
  const pictures = [...filesIn(join(FIXTURES, "photos"), /\.jpg$/), ...filesIn(join(FIXTURES, "preprocess"), /^(wide|tall)\.png$/)];
  expect(pictures.length).toBe(4);
  for (const views of ["none", "five-crop"])
    for (const temperature of [1, 2.5]) await expectNodesAnswers(withMetadata(model(), { temperature }), pictures, views);
});

test("a canvas's pixels are answered as the same picture on white", async () => {
  const [canvas, onWhite] = await library.canvas(withMetadata(model()));
  expect(canvas).toEqual(onWhite);
});

const there = existsSync(join(SHARED, "models"));
if (!there) console.log(`skipped: SqueezeNet on photos, in a page as in Node (it is not at ${SHARED})`);
test.skipIf(!there)("SqueezeNet on photos, in a page as in Node", async () => {
  const squeezenet = appendMetadata(readFileSync(join(SHARED, "models/squeezenet1.1-imagenet.onnx")), {
    labels: JSON.parse(readFileSync(join(SHARED, "models/imagenet-labels.json"), "utf8")),
    preprocess: { resize: 256, filter: "bilinear", crop: [224, 224], channels: 3, mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] },
    outputKind: "logits",
  });
  await expectNodesAnswers(squeezenet, filesIn(join(SHARED, "data/photos"), /\.JPEG$/).slice(0, 6), "five-crop");
  await expectNodesAnswers(squeezenet, filesIn(join(FIXTURES, "preprocess"), /^(wide|tall)\.png$/), "none");
});

test("the page's console stayed silent", () => expect(library.complaints).toEqual([]));
