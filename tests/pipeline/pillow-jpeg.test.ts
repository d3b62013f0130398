import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { readImage } from "../../pipeline/decode.node.ts";
import { needPhotos, photo, photos } from "../inference/photos.ts";

// The checksums are Pillow's own: tests/fixtures/jpeg/make.py.
const FOLDER = join(import.meta.dirname, "../fixtures/jpeg");

/** Of a file's pixels. */
type Checksum = readonly [width: number, height: number, channels: number, sha256: string];
const PILLOW: { readonly small: Readonly<Record<string, Checksum>>; readonly photos: Readonly<Record<string, Checksum>> } = JSON.parse(
  readFileSync(join(FOLDER, "pillow.json"), "utf8"),
);

async function checksumOf(file: string): Promise<Checksum> {
  const { width, height, channels, data } = await readImage(file);
  return [width, height, channels, createHash("sha256").update(data).digest("hex")];
}

describe("a JPEG has Pillow's own pixels", () => {
  test("the repository's have their checksums, each of them", () => {
    expect(readdirSync(FOLDER).filter((name) => name.endsWith(".jpg"))).toEqual(Object.keys(PILLOW.small));
  });

  test.each(Object.entries(PILLOW.small))("%s", async (name, expected) => {
    expect(await checksumOf(join(FOLDER, name))).toEqual(expected);
  });

  test.skipIf(!needPhotos("Pillow's pixels of the photos"))("the photos", async () => {
    const names = Object.keys(PILLOW.photos);
    expect(names.map((name) => photo(name.replace(".JPEG", "")))).toEqual(photos());
    for (const [i, file] of photos().entries())
      expect([names[i], ...(await checksumOf(file))]).toEqual([names[i], ...PILLOW.photos[names[i]]]);
  });
});
