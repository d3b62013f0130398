import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import sharp from "sharp";
import { random } from "../../core/random.ts";

export interface PictureOptions {
  readonly width?: number;
  readonly height?: number;
  readonly channels?: 1 | 3;
  readonly seed?: number;
}

/** The bytes of a picture of smooth noise, JPEG or PNG by the file's ending. */
export async function pictureBytes(
  name: string,
  { width = 40, height = 30, channels = 3, seed = 0 }: PictureOptions = {},
): Promise<Buffer> {
  const noise = random(seed).fork("picture");
  const pixels = Uint8Array.from({ length: width * height * channels }, (_, i) => noise.integer(64) + ((i * 7 + seed * 40) % 190));
  const image = sharp(pixels, { raw: { width, height, channels } });
  return (name.endsWith(".png") ? image.png() : image.jpeg()).toBuffer();
}

/** Files by their paths in a folder: pictures by number or options, others as they are. */
export async function writeTree(folder: string, files: Readonly<Record<string, PictureOptions | string | Uint8Array>>): Promise<void> {
  for (const [path, content] of Object.entries(files)) {
    const file = join(folder, path);
    await mkdir(dirname(file), { recursive: true });
    const isBytes = typeof content === "string" || content instanceof Uint8Array;
    await writeFile(file, isBytes ? content : await pictureBytes(file, content));
  }
}

/** Classes with so many pictures each: CLASS/0.jpg … */
export const classes = (names: readonly string[], each: number): Record<string, PictureOptions> =>
  Object.fromEntries(
    names.flatMap((name, c) =>
      Array.from({ length: each }, (_, i) => [
        `${name}/${String(i).padStart(3, "0")}.jpg`,
        { seed: 100 * c + i, width: 30 + (i % 5), height: 24 + (i % 3) },
      ]),
    ),
  );

/** The same below another folder. */
export const under = <T>(folder: string, files: Readonly<Record<string, T>>): Record<string, T> =>
  Object.fromEntries(Object.entries(files).map(([path, content]) => [`${folder}/${path}`, content]));
