import sharp from "sharp";
import { expect, test } from "vitest";
import { takeOrientation } from "../../pipeline/webp.ts";

const picture = sharp({ create: { width: 5, height: 3, channels: 3, background: "teal" } });
/** Its EXIF chunk with what stands before the TIFF header in a JPEG, which some writers leave there. */
function withPrefix(bytes: Buffer): Buffer {
  const at = bytes.indexOf("EXIF");
  const old = bytes.readUInt32LE(at + 4);
  const block = bytes.subarray(at + 8, at + 8 + old);
  const body = block.toString("latin1", 0, 4) === "Exif" ? block.subarray(6) : Buffer.concat([Buffer.from("Exif\0\0", "latin1"), block]);
  const head = Buffer.alloc(8);
  head.write("EXIF");
  head.writeUInt32LE(body.length, 4);
  const made = Buffer.concat([bytes.subarray(0, at), head, body, Buffer.alloc(body.length & 1), bytes.subarray(at + 8 + old + (old & 1))]);
  made.writeUInt32LE(made.length - 8, 4);
  return made;
}

test.each([1, 2, 3, 4, 5, 6, 7, 8])("orientation %i is taken from a WebP once, and its pixels stay", async (orientation) => {
  const plain = await picture.clone().withMetadata({ orientation }).webp({ lossless: true }).toBuffer();
  for (const bytes of [plain, withPrefix(plain)]) {
    expect(takeOrientation(bytes)).toBe(orientation);
    expect(takeOrientation(bytes)).toBe(1);
    const { orientation: left, width, height } = await sharp(bytes).metadata();
    expect([left ?? 1, width, height]).toEqual([1, 5, 3]);
    await sharp(bytes).raw().toBuffer();
  }
});

test("a WebP without EXIF is upright, whichever its kind, also cut short", async () => {
  const bytes = await picture.clone().webp().toBuffer();
  expect(takeOrientation(bytes)).toBe(1);
  const turned = await picture.clone().withMetadata({ orientation: 6 }).webp().toBuffer();
  for (let length = 30; length < turned.length; length++)
    expect([1, 6]).toContain(takeOrientation(Buffer.from(turned.subarray(0, length))));
});
