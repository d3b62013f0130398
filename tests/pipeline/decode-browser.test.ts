import sharp from "sharp";
import { expect, test } from "vitest";
import { FivecropError, PictureError } from "../../core/errors.ts";
import { decodeImage } from "../../pipeline/decode.browser.ts";

const picture = sharp({ create: { width: 30, height: 20, channels: 3, background: "teal" } });

// Node is a page that lacks what a browser decodes by.
test.each([
  ["webp", "p.img: this WebP cannot be read: this browser has no createImageBitmap. To fix: another browser, a newer one."],
  ["gif", "p.img: this GIF cannot be read: this browser has no createImageBitmap."],
  ["jpeg", "p.img: this JPEG cannot be read: the decoder, mozjpeg_dec.wasm, cannot be loaded ("],
] as const)("%s: what is missing, and no word of a damaged picture", async (format, message) => {
  const error = await decodeImage(await picture.clone().toFormat(format).toBuffer(), "p.img").catch((thrown) => thrown);
  expect(error).toBeInstanceOf(FivecropError);
  expect(error).not.toBeInstanceOf(PictureError);
  expect(error.message).toContain(message);
});

test("a PNG needs nothing of a browser's", async () => {
  expect(await decodeImage(await picture.clone().png().toBuffer(), "p.png")).toMatchObject({ width: 30, height: 20, channels: 3 });
});
