import sharp from "sharp";
import { describe, expect, test } from "vitest";
import { plainJpegFrame, readJpegHeader, statedSize } from "../../pipeline/image-header.ts";

const WIDTH = 37;
const HEIGHT = 22;
const picture = sharp({ create: { width: WIDTH, height: HEIGHT, channels: 3, background: "teal" } });

describe("readJpegHeader", () => {
  test.each([false, true])("size, components and orientation; progressive: %s", async (progressive) => {
    const bytes = await picture.clone().withMetadata({ orientation: 6 }).jpeg({ progressive }).toBuffer();
    expect(readJpegHeader(bytes)).toEqual({ width: WIDTH, height: HEIGHT, components: 3, orientation: 6 });
    const gray = await picture.clone().toColourspace("b-w").jpeg({ progressive }).toBuffer();
    expect(readJpegHeader(gray)).toEqual({ width: WIDTH, height: HEIGHT, components: 1, orientation: 1 });
    const ink = await picture.clone().toColourspace("cmyk").jpeg({ progressive }).toBuffer();
    expect(readJpegHeader(ink).components).toBe(4);
  });

  test("cut short anywhere, it says so; what follows the end is nobody's business", async () => {
    const bytes = await picture.clone().jpeg().toBuffer();
    for (let length = 3; length < bytes.length; length++)
      expect(() => readJpegHeader(bytes.subarray(0, length)), `${length}`).toThrow("premature end of JPEG image");
    expect(readJpegHeader(Buffer.concat([bytes, Buffer.alloc(50, 7)])).width).toBe(WIDTH);
  });
});

describe("plainJpegFrame", () => {
  test.each([false, true])("gray and colour of 8 bits, as stored; no ink; progressive: %s", async (progressive) => {
    const plain = { width: WIDTH, height: HEIGHT };
    const bytes = await picture.clone().withMetadata({ orientation: 6 }).jpeg({ progressive }).toBuffer();
    expect(plainJpegFrame(bytes)).toEqual({ ...plain, components: 3, exif: true });
    expect(plainJpegFrame(await picture.clone().toColourspace("b-w").jpeg({ progressive }).toBuffer())).toEqual({
      ...plain,
      components: 1,
      exif: false,
    });
    expect(plainJpegFrame(await picture.clone().toColourspace("cmyk").jpeg({ progressive }).toBuffer())).toBeUndefined();
  });

  test("EXIF is found behind the frame, too", async () => {
    const bytes = await picture.clone().jpeg().toBuffer();
    const frame = bytes.indexOf(Buffer.from([0xff, 0xc0]));
    const behind = frame + 2 + bytes.readUInt16BE(frame + 2);
    const app1 = Buffer.from([0xff, 0xe1, 0, 8, ...Buffer.from("Exif\0\0")]);
    const moved = Buffer.concat([bytes.subarray(0, behind), app1, bytes.subarray(behind)]);
    expect(plainJpegFrame(moved)).toEqual({ width: WIDTH, height: HEIGHT, components: 3, exif: true });
  });

  test("nothing is said of markers that are cut off, of other bytes, of 12 bits, or of no pixels", async () => {
    const bytes = await picture.clone().jpeg().toBuffer();
    const frame = bytes.indexOf(Buffer.from([0xff, 0xc0]));
    const scan = bytes.indexOf(Buffer.from([0xff, 0xda]));
    for (let length = 0; length < scan + 10; length++) expect(plainJpegFrame(bytes.subarray(0, length)), `${length}`).toBeUndefined();
    const changed = (at: number, value: number): Buffer => {
      const copy = Buffer.from(bytes);
      copy.writeUInt8(value, at);
      return copy;
    };
    expect(plainJpegFrame(changed(frame, 0xfe))).toBeUndefined();
    expect(plainJpegFrame(changed(frame + 4, 12))).toBeUndefined();
    expect(plainJpegFrame(changed(frame + 6, 0))).toBeUndefined();
    expect(plainJpegFrame(changed(frame + 9, 2))).toBeUndefined();
  });
});

test("fill bytes before the end of a JPEG are legal", async () => {
  const bytes = await picture.clone().jpeg().toBuffer();
  const filled = Buffer.concat([bytes.subarray(0, -2), Buffer.from([0xff, 0xff, 0xff, 0xd9])]);
  expect(readJpegHeader(filled)).toEqual(readJpegHeader(bytes));
  expect(() => readJpegHeader(filled.subarray(0, -1))).toThrow("premature end of JPEG image");
});

describe("statedSize", () => {
  test("WebP of every kind, AVIF, GIF", async () => {
    const clear = sharp({ create: { width: WIDTH, height: HEIGHT, channels: 4, background: "#ff000080" } });
    const size = { width: WIDTH, height: HEIGHT };
    expect(statedSize(await picture.clone().webp().toBuffer(), "WebP")).toEqual(size);
    expect(statedSize(await picture.clone().webp({ lossless: true }).toBuffer(), "WebP")).toEqual(size);
    expect(statedSize(await clear.webp().toBuffer(), "WebP")).toEqual(size);
    expect(statedSize(await picture.clone().avif().toBuffer(), "AVIF")).toEqual(size);
    expect(statedSize(await picture.clone().gif().toBuffer(), "GIF")).toEqual(size);
  });
  test("an AVIF's size is found behind any other box, and one that states none is refused", async () => {
    const bytes = await picture.clone().avif().toBuffer();
    const meta = bytes.indexOf("meta") - 4;
    const free = Buffer.alloc(1 << 17);
    free.writeUInt32BE(free.length);
    free.write("free", 4);
    expect(statedSize(Buffer.concat([bytes.subarray(0, meta), free, bytes.subarray(meta)]), "AVIF")).toEqual({
      width: WIDTH,
      height: HEIGHT,
    });
    const hidden = Buffer.from(bytes);
    hidden.write("none", hidden.indexOf("ispe"));
    expect(() => statedSize(hidden, "AVIF")).toThrow("it states no size");
    expect(() => statedSize(bytes.subarray(0, meta), "AVIF")).toThrow("it states no size");
  });
});
