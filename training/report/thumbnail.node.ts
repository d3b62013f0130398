import sharp from "sharp";
import { encodePng } from "../../pipeline/encode.node.ts";
import type { Image } from "../../pipeline/image.ts";
import type { Thumbnail } from "./pictures.ts";

/** A picture's longer side in a page, and up to which it is kept as it is. */
const [LARGEST, SMALL] = [192, 64];

const dataUrl = (type: string, bytes: Uint8Array): string => `data:image/${type};base64,${Buffer.from(bytes).toString("base64")}`;

/** A picture for a page: a small one with all its pixels, a large one shrunk and as JPEG. */
export async function thumbnailOf(image: Image): Promise<Thumbnail> {
  const { width, height, channels, data } = image;
  if (Math.max(width, height) <= SMALL) return { source: dataUrl("png", await encodePng(image)), width, height, pixelated: true };
  const { data: bytes, info } = await sharp(data, { raw: { width, height, channels } })
    .resize(LARGEST, LARGEST, { fit: "inside", withoutEnlargement: true })
    .jpeg({ quality: 80 })
    .toBuffer({ resolveWithObject: true });
  return { source: dataUrl("jpeg", bytes), width: info.width, height: info.height, pixelated: false };
}
