import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import sharp from "sharp";
import { beforeEach, describe, expect, test, vi } from "vitest";
import { random } from "../../core/random.ts";
import { nearDuplicateLines } from "../../training/near-duplicates.ts";
import { reportRun } from "../../training/report/report-run.node.ts";
import { type RunEvent, type RunOptions, run } from "../../training/run.node.ts";
import { DEFAULTS, type RunConfig } from "../../training/run-config.ts";
import { temporaryFolder } from "../cli/run.ts";
import { writeTree } from "../pipeline/make-pictures.ts";

let folder: string;
let out: string;
let config: RunConfig;

async function toEnd<T>(events: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const event of events) all.push(event);
  return all;
}
const train = (more: Partial<RunOptions> = {}): Promise<RunEvent[]> =>
  toEnd(run(config, { out, dataRoot: folder, report: false, ...more }));
const readAbout = async () => JSON.parse(await readFile(join(out, "run.json"), "utf8"));

/** A picture of large coloured squares, unlike those of other seeds. */
function squares(seed: number): Promise<Buffer> {
  const source = random(seed);
  const data = Uint8Array.from({ length: 6 * 6 * 3 }, () => source.integer(256));
  return sharp(data, { raw: { width: 6, height: 6, channels: 3 } })
    .resize(60, 60, { kernel: "nearest" })
    .png()
    .toBuffer();
}
const distinct = async (names: readonly string[], each: number, seed = 0): Promise<Record<string, Buffer>> =>
  Object.fromEntries(
    await Promise.all(
      names.flatMap((name, k) =>
        Array.from({ length: each }, async (_, i) => [`${name}/${i}.png`, await squares(seed + 100 * k + i)] as const),
      ),
    ),
  );

beforeEach(async () => {
  folder = await temporaryFolder();
  for (const name of ["XDG_CACHE_HOME", "LOCALAPPDATA"]) vi.stubEnv(name, join(folder, "cache"));
  out = join(folder, "run");
  config = { ...DEFAULTS, model: "fashion-cnn", data: `folder:${join(folder, "photos")}`, epochs: 1, batchSize: 4 };
});

describe("a folder with train, val and test", () => {
  beforeEach(async () => {
    const [train, val, test] = [await distinct(["a", "b"], 5), await distinct(["a", "b"], 2, 1000), await distinct(["a", "b"], 2, 2000)];
    const at = (split: string, files: Record<string, Buffer>) =>
      Object.fromEntries(Object.entries(files).map(([path, bytes]) => [`${split}/${path}`, bytes]));
    await writeTree(join(folder, "photos"), {
      ...at("train", train),
      ...at("val", val),
      ...at("test", test),
      "val/a/same.png": train["a/3.png"],
      "test/b/other-class.jpg": await sharp(train["a/1.png"]).resize(45).jpeg({ quality: 60 }).toBuffer(),
      "test/a/of-val.png": val["a/1.png"],
    });
  });

  test("copies across the splits are said, kept in run.json and shown by the report, which is made anew from there", async () => {
    const events = await train({ report: true });
    const found = events.filter((event) => event.kind === "near-duplicates");
    expect(found).toHaveLength(1);
    const { kind: _, ...kept } = found[0];
    expect(kept).toMatchObject({
      folder: join(folder, "photos"),
      compared: { training: 10, validation: 5, test: 6 },
      count: 3,
      samePixels: 2,
    });
    const pairs = kept.pairs.map(({ split, file, twinSplit, twin, samePixels, sameClass }) => [
      split,
      file,
      twinSplit,
      twin,
      samePixels,
      sameClass,
    ]);
    expect(pairs.slice(0, 2)).toEqual(
      expect.arrayContaining([
        ["validation", "val/a/same.png", "training", "train/a/3.png", true, true],
        ["test", "test/a/of-val.png", "validation", "val/a/1.png", true, true],
      ]),
    );
    expect(pairs[2]).toEqual(["test", "test/b/other-class.jpg", "training", "train/a/1.png", false, false]);
    expect((await readAbout()).nearDuplicates).toEqual(kept);
    expect(nearDuplicateLines(kept)[0]).toMatch(
      /^near-duplicates: 3 pictures of validation and test look like one of another split \(2 have its very pixels\), so accuracy/,
    );
    expect(nearDuplicateLines({ ...kept, count: 14 }).at(-1)).toBe("  … and 11 more");

    const page = await readFile(join(out, "report.html"), "utf8");
    expect(page).toContain(
      "3 pictures of validation and test look like one of another split (2 have its very pixels): accuracy on them says too much.",
    );
    for (const said of [
      "test: test/b/other-class.jpg",
      "another class",
      "10 of training, 5 of validation, 6 of test",
      "Accuracy over coverage",
    ])
      expect(page).toContain(said);
    await toEnd(reportRun(out, { dataRoot: folder }));
    expect(await readFile(join(out, "report.html"), "utf8")).toContain("test: test/b/other-class.jpg");
  });

  test("without a report the test pictures are not looked at", async () => {
    const found = (await train()).filter((event) => event.kind === "near-duplicates");
    expect(found).toMatchObject([{ compared: { training: 10, validation: 5 }, count: 1, samePixels: 1 }]);
  });

  test("a test split that cannot be read is said, and the rest is compared", async () => {
    await writeTree(join(folder, "photos"), { "test/unknown/1.png": await squares(5) });
    const events = await train({ report: true });
    expect(events).toContainEqual({
      kind: "note",
      split: "test",
      note: expect.stringMatching(/^not searched for near-duplicates .*: .*is no class of/),
    });
    expect((await readAbout()).nearDuplicates.compared).toEqual({ training: 10, validation: 5 });
  });
});

describe("a folder of classes", () => {
  test("without copies nothing is said; a resumed run keeps its draw, also one from before classes kept their shares", async () => {
    await writeTree(join(folder, "photos"), await distinct(["a", "b", "c"], 6));
    const events = await train({ report: true });
    expect(events.map(({ kind }) => kind)).not.toContain("near-duplicates");
    const about = await readAbout();
    expect(about.config.stratified).toBe(true);
    expect(about.nearDuplicates).toMatchObject({ count: 0, compared: { training: 14, validation: 4 }, pairs: [] });
    expect(await readFile(join(out, "report.html"), "utf8")).toContain("No picture looks like one of another split.");
    const { stratified, ...old } = about.config;
    const confusion = async () => (await readFile(join(out, "report.html"), "utf8")).match(/<section id="classes"[\s\S]*?<\/section>/)?.[0];
    const drawn = await confusion();
    await writeFile(join(out, "run.json"), JSON.stringify({ ...about, config: old }));
    await toEnd(run(old, { out, dataRoot: folder, resume: true }));
    expect((await readAbout()).config).not.toHaveProperty("stratified");
    expect(await confusion()).not.toBe(drawn);
  });
});
