import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { deflateSync } from "node:zlib";
import sharp from "sharp";
import { describe, expect, test } from "vitest";
import { PictureError } from "../../core/errors.ts";
import { random } from "../../core/random.ts";
import { decodeImage, readImage } from "../../pipeline/decode.node.ts";

const WIDTH = 24;
const HEIGHT = 16;
const pixelsOf = (channels: number, seed = 1): Uint8Array<ArrayBuffer> => {
  const numbers = random(seed);
  return Uint8Array.from({ length: WIDTH * HEIGHT * channels }, () => numbers.integer(256));
};
const raw = (data: Uint8Array | Uint16Array, channels: 1 | 2 | 3 | 4, width = WIDTH, height = HEIGHT) =>
  sharp(data, { raw: { width, height, channels } });
const decode = async (bytes: Uint8Array) => decodeImage(bytes, "picture");

/** A PNG of these chunks; checksums are right where the content is. */
function png(width: number, height: number, data = deflateSync(Buffer.alloc((width + 1) * height))): Buffer {
  const crc = (bytes: Buffer): number => {
    let c = 0xffffffff;
    for (const byte of bytes) {
      c ^= byte;
      for (let k = 0; k < 8; k++) c = c & 1 ? (c >>> 1) ^ 0xedb88320 : c >>> 1;
    }
    return ~c >>> 0;
  };
  const chunk = (type: string, content: Buffer): Buffer => {
    const body = Buffer.concat([Buffer.from(type, "latin1"), content]);
    const [length, sum] = [Buffer.alloc(4), Buffer.alloc(4)];
    length.writeUInt32BE(content.length);
    sum.writeUInt32BE(crc(body));
    return Buffer.concat([length, body, sum]);
  };
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header[8] = 8; // bits; gray
  const signature = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
  return Buffer.concat([signature, chunk("IHDR", header), chunk("IDAT", data), chunk("IEND", Buffer.alloc(0))]);
}

/** An uncompressed TIFF of one strip; `sampleFormat` 1 is unsigned, 3 is floating point. */
function tiff(data: Uint8Array, photometric: number, samples: number, bits: number, sampleFormat = 1): Buffer {
  const entries = [
    [256, WIDTH],
    [257, HEIGHT],
    [258, bits],
    [259, 1],
    [262, photometric],
    [273, 200],
    [277, samples],
    [278, HEIGHT],
    [279, data.length],
    [339, sampleFormat],
  ];
  const header = Buffer.alloc(200);
  header.write("II*\0", 0, "latin1");
  header.writeUInt32LE(8, 4);
  header.writeUInt16LE(entries.length, 8);
  for (const [i, [tag, value]] of entries.entries()) {
    const at = 10 + 12 * i;
    const perSample = (tag === 258 || tag === 339) && samples > 1;
    header.writeUInt16LE(tag, at);
    header.writeUInt16LE(perSample ? 3 : 4, at + 2);
    header.writeUInt32LE(perSample ? samples : 1, at + 4);
    const list = tag === 258 ? 150 : 170;
    header.writeUInt32LE(perSample ? list : value, at + 8);
    if (perSample) for (let s = 0; s < samples; s++) header.writeUInt16LE(value, list + 2 * s);
  }
  return Buffer.concat([header, data]);
}

describe("formats", () => {
  const rgb = pixelsOf(3);

  test.each(["png", "webp", "tiff", "gif"] as const)("%s without loss", async (format) => {
    const few = Uint8Array.from(rgb, (value) => (value > 127 ? 255 : 0)); // a palette's worth of colours
    const bytes = await raw(few, 3).toFormat(format, { lossless: true, compression: "lzw" }).toBuffer();
    expect(await decode(bytes)).toEqual({ width: WIDTH, height: HEIGHT, channels: 3, data: few });
  });

  test.each(["jpeg", "avif", "webp"] as const)("%s with loss has sharp's own pixels", async (format) => {
    const bytes = await raw(rgb, 3).toFormat(format).toBuffer();
    const expected = await sharp(bytes).removeAlpha().raw().toBuffer();
    expect(await decode(bytes)).toEqual({ width: WIDTH, height: HEIGHT, channels: 3, data: new Uint8Array(expected) });
  });

  test("an animation's first frame", async () => {
    const frames = Buffer.concat([Buffer.alloc(300, 255), Buffer.alloc(300, 0)]); // 10×10 white, then black
    const bytes = await sharp(frames, { raw: { width: 10, height: 20, channels: 3, pageHeight: 10 } })
      .gif({ delay: [100, 100] })
      .toBuffer();
    expect((await sharp(bytes).metadata()).pages).toBe(2);
    expect(await decode(bytes)).toEqual({ width: 10, height: 10, channels: 3, data: new Uint8Array(300).fill(255) });
  });
});

describe("conversions", () => {
  test.each([1, 3] as const)("a JPEG has sharp's pixels, whether libjpeg or sharp decodes it; channels: %i", async (channels) => {
    const noise = random(7);
    for (const [width, height] of [
      [1, 1],
      [7, 300],
      [255, 257],
      [256, 256],
      [257, 256],
    ]) // prettier-ignore
      for (const options of [{}, { progressive: true }, { chromaSubsampling: "4:4:4" }, { quality: 30, optimiseCoding: false }]) {
        const data = Uint8Array.from({ length: width * height * channels }, () => noise.integer(256));
        const picture = raw(data, channels, width, height);
        const bytes = await (channels === 1 ? picture.toColourspace("b-w") : picture).jpeg(options).toBuffer();
        const image = await decode(bytes);
        expect([image.width, image.height, image.channels]).toEqual([width, height, channels]);
        const alone = channels === 1 ? sharp(bytes).extractChannel(0) : sharp(bytes);
        expect(Buffer.compare(image.data, await alone.raw().toBuffer()), `${width}×${height} ${JSON.stringify(options)}`).toBe(0);
      }
  });

  test("of damaged small JPEGs those are refused that sharp alone refuses", async () => {
    const bytes = await raw(pixelsOf(3), 3).jpeg().toBuffer();
    const numbers = random(11);
    let [read, refused] = [0, 0];
    for (let i = 0; i < 300; i++) {
      const changed = Buffer.from(bytes);
      for (let k = 0; k < 3; k++) changed[2 + numbers.integer(bytes.length - 4)] = numbers.integer(256);
      const alone = sharp(changed, { autoOrient: true, failOn: "error", ignoreIcc: true }).raw().toBuffer();
      const [ours, sharps] = await Promise.allSettled([decode(changed), alone]);
      expect(ours.status, `${i}`).toBe(sharps.status);
      if (ours.status === "fulfilled") read++;
      else refused++;
    }
    expect(Math.min(read, refused)).toBeGreaterThan(20);
  });

  test("gray stays one channel, as PNG, JPEG and TIFF", async () => {
    const gray = pixelsOf(1);
    const picture = raw(gray, 1).toColourspace("b-w");
    expect(await decode(await picture.clone().png().toBuffer())).toEqual({ width: WIDTH, height: HEIGHT, channels: 1, data: gray });
    expect((await decode(await picture.clone().tiff({ compression: "none" }).toBuffer())).data).toEqual(gray);
    expect((await decode(await picture.clone().jpeg().toBuffer())).channels).toBe(1);
  });

  test("alpha lies on white, in colour and in gray", async () => {
    const colour = await decode(
      await raw(Uint8Array.of(10, 20, 30, 128, 1, 2, 3, 0), 4, 2, 1)
        .png()
        .toBuffer(),
    );
    expect(colour).toEqual({ width: 2, height: 1, channels: 3, data: Uint8Array.of(132, 137, 142, 255, 255, 255) });
    const gray = await decode(
      await raw(Uint8Array.of(10, 128, 7, 255), 2, 2, 1)
        .toColourspace("b-w")
        .png()
        .toBuffer(),
    );
    expect(gray).toEqual({ width: 2, height: 1, channels: 1, data: Uint8Array.of(132, 7) });
  });

  test("16 bits become their high byte, in colour, gray and with alpha", async () => {
    const wide = Uint16Array.of(0x12ff, 0x3400, 0xffff, 0x00fe, 0x8080, 0x7fff);
    const colour = await raw(wide, 3, 2, 1).toColourspace("rgb16").png().toBuffer();
    expect((await sharp(colour).metadata()).depth).toBe("ushort");
    expect([...(await decode(colour)).data]).toEqual([0x12, 0x34, 0xff, 0, 0x80, 0x7f]);
    const gray = await decode(await raw(wide, 1, 3, 2).toColourspace("grey16").png().toBuffer());
    expect([gray.channels, ...gray.data]).toEqual([1, 0x12, 0x34, 0xff, 0, 0x80, 0x7f]);
    const alpha = await decode(
      await raw(Uint16Array.of(0x12ff, 0xffff, 0x0aff, 0x80ff), 2, 2, 1)
        .toColourspace("grey16")
        .png()
        .toBuffer(),
    );
    expect([...alpha.data]).toEqual([0x12, 132]);
  });

  test("CMYK by plain multiplication, from TIFF and from JPEG", async () => {
    const ink = pixelsOf(4);
    const bytes = tiff(ink, 5, 4, 8);
    expect((await sharp(bytes).metadata()).space).toBe("cmyk");
    const expected = Uint8Array.from({ length: WIDTH * HEIGHT * 3 }, (_, i) => {
      const pixel = Math.floor(i / 3) * 4;
      const light = 255 - ink[pixel + 3];
      return light - Math.round((ink[pixel + (i % 3)] * light) / 255);
    });
    expect(await decode(bytes)).toEqual({ width: WIDTH, height: HEIGHT, channels: 3, data: expected });

    const red = raw(
      Uint8Array.from(pixelsOf(3), (_, i) => [220, 30, 40][i % 3]),
      3,
    );
    const jpeg = await decode(await red.toColourspace("cmyk").jpeg({ quality: 100 }).toBuffer());
    expect(jpeg.channels).toBe(3);
    expect(jpeg.data[0]).toBeGreaterThan(180);
    expect(Math.max(jpeg.data[1], jpeg.data[2])).toBeLessThan(80);
  });

  test.each([1, 2, 3, 4, 5, 6, 7, 8])("upright by EXIF orientation %i", async (orientation) => {
    const dark = new Uint8Array(WIDTH * HEIGHT * 3);
    for (let y = 0; y < 8; y++) dark.fill(255, y * WIDTH * 3, (y * WIDTH + 8) * 3); // the stored upper left is bright
    const bytes = await raw(dark, 3).withMetadata({ orientation }).jpeg({ quality: 100 }).toBuffer();
    const image = await decode(bytes);
    expect([image.width, image.height]).toEqual(orientation < 5 ? [WIDTH, HEIGHT] : [HEIGHT, WIDTH]);
    const bright = (x: number, y: number): boolean => image.data[(y * image.width + x) * 3] > 127;
    const right = image.width - 2;
    const low = image.height - 2;
    const corners = [bright(1, 1), bright(right, 1), bright(right, low), bright(1, low)];
    const corner = [0, 0, 1, 2, 3, 0, 1, 2, 3][orientation];
    expect(corners.indexOf(true)).toBe(corner);
    expect(corners.filter(Boolean).length).toBe(1);
  });

  test("colour profiles are ignored", async () => {
    const plain = raw(pixelsOf(3), 3);
    const tagged = await plain.clone().withIccProfile("p3").jpeg().toBuffer();
    expect((await sharp(tagged).metadata()).icc).toBeDefined();
    const expected = await sharp(tagged, { ignoreIcc: true }).raw().toBuffer();
    expect((await decode(tagged)).data).toEqual(new Uint8Array(expected));
    expect((await decode(tagged)).data).not.toEqual(new Uint8Array(await sharp(tagged).raw().toBuffer()));
  });
});

describe("refused, by name and with the reason", () => {
  const refusal = async (bytes: Uint8Array, options?: { maxPixels: number }): Promise<string> => {
    const error = await decodeImage(bytes, "boot.png", options).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(PictureError);
    return (error as Error).message;
  };
  const ascii = (text: string): Buffer => Buffer.from(text, "latin1");

  test.each<[string, Uint8Array, string]>([
    ["nothing", Buffer.alloc(0), "the file is empty"],
    ["SVG", ascii('<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"/>'), "an SVG, which is a drawing"],
    ["SVG without a declaration", ascii('\n<svg width="3" height="3"/>'), "an SVG"],
    ["SVG with a byte order mark", ascii('\xef\xbb\xbf<svg width="3" height="3"/>'), "an SVG"],
    ["text", ascii("hello, world"), 'text that starts "hello, world"'],
    ["HEIC", ascii("\0\0\0\x18ftypheic\0\0\0\0mif1heic"), "a HEIC picture"],
    ["BMP", ascii("BM\0\0\0\0"), "a BMP picture"],
    ["PDF", ascii("%PDF-1.7"), "a PDF"],
    ["other bytes", Uint8Array.of(1, 2, 3, 255), "bytes that start 01 02 03 ff"],
  ])("%s", async (_, bytes, reason) => {
    const message = await refusal(bytes);
    expect(message).toMatch(/^boot\.png: /);
    expect(message).toContain("Expected a JPEG, PNG, WebP, AVIF, GIF or TIFF.");
    expect(message).toContain(reason);
  });

  test("0 × 0 pixels", async () => {
    expect(await refusal(png(0, 0))).toBe("boot.png: this PNG has 0 pixels. Expected a width and a height of at least 1.");
    expect(await refusal(ascii("GIF89a\0\0\0\0\0\0\0"))).toContain("this GIF has 0 pixels");
  });

  test.each(["jpeg", "png", "webp", "avif", "gif", "tiff"] as const)("%s cut short anywhere", async (format) => {
    const bytes = await raw(pixelsOf(3), 3).toFormat(format, { compression: "lzw" }).toBuffer();
    for (const part of [0.03, 0.3, 0.6, 0.9]) {
      const message = await refusal(bytes.subarray(0, Math.max(12, Math.floor(bytes.length * part))));
      expect(message).toMatch(/^boot\.png: this \w+ is damaged or cut short/);
      expect(message).not.toContain("\n");
    }
  });

  test("a bomb, from its header: its data are never looked at", async () => {
    expect(await refusal(png(30_000, 30_000, Buffer.alloc(0)))).toBe(
      "boot.png: 30000×30000 pixels are 900 megapixels, more than the limit of 100. To fix: shrink the picture first.",
    );
    expect(await refusal(png(20, 10), { maxPixels: 199 })).toContain("20×10 pixels");
    expect((await decodeImage(png(20, 10), "boot.png", { maxPixels: 200 })).width).toBe(20);
  });

  test("floating point samples", async () => {
    const floats = new Float32Array(WIDTH * HEIGHT).fill(0.5);
    expect(await refusal(tiff(new Uint8Array(floats.buffer), 1, 1, 32, 3))).toContain(
      "its samples are of type float. Expected 8 or 16 bits.",
    );
  });

  test("files that cannot be read", async () => {
    const folder = await mkdtemp(join(tmpdir(), "fivecrop-decode-"));
    await expect(readImage(join(folder, "none.png"))).rejects.toThrow("none.png: there is no such file");
    await expect(readImage(folder)).rejects.toThrow("it is a folder, where a file is expected");
    await writeFile(join(folder, "some.png"), png(3, 2));
    expect((await readImage(join(folder, "some.png"))).height).toBe(2);
    await rm(folder, { recursive: true });
  });
});
