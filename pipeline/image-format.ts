/** The picture formats that are read. */
export type ImageFormat = "JPEG" | "PNG" | "WebP" | "AVIF" | "GIF" | "TIFF";

/** What `infer --explain` writes beside a picture: a heat map over it, not a picture of its class. */
export const EXPLANATION = ".explain.png";

/** Whether a file in a folder counts as a picture, by the ending of its name. A file that is named is read whatever it is called. */
export const isPictureName = (name: string): boolean => /\.(jpe?g|png|webp|avif|gif|tiff?)$/i.test(name) && !name.endsWith(EXPLANATION);

const text = (bytes: Uint8Array, from: number, to: number): string => String.fromCharCode(...bytes.subarray(from, to));
const startsWith = (bytes: Uint8Array, ...start: readonly number[]): boolean => start.every((byte, i) => bytes[i] === byte);
/** The brands that an ISO media file (AVIF, HEIC) declares at its start. */
const brandsOf = (bytes: Uint8Array): string =>
  text(bytes, 4, 8) === "ftyp" ? text(bytes, 8, Math.min(bytes.length, bytes[3] || 64)) : "";

const READ: { readonly [F in ImageFormat]: (bytes: Uint8Array) => boolean } = {
  JPEG: (bytes) => startsWith(bytes, 0xff, 0xd8, 0xff),
  PNG: (bytes) => startsWith(bytes, 0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a),
  WebP: (bytes) => text(bytes, 0, 4) === "RIFF" && text(bytes, 8, 12) === "WEBP",
  AVIF: (bytes) => /avi[fs]/.test(brandsOf(bytes)),
  GIF: (bytes) => /^GIF8[79]a/.test(text(bytes, 0, 6)),
  TIFF: (bytes) => /^(II[*+]\0|MM\0[*+])/.test(text(bytes, 0, 4)),
};

/** What else a file may be, to say so. */
const REFUSED: Readonly<Record<string, (bytes: Uint8Array) => boolean>> = {
  "an SVG, which is a drawing and has no pixels of its own": (bytes) => /^\W*(<\?xml|<!--|<!doctype svg|<svg)/i.test(text(bytes, 0, 64)),
  "a HEIC picture": (bytes) => /hei[cxs]|hev[cx]|mif1/.test(brandsOf(bytes)),
  "a BMP picture": (bytes) => text(bytes, 0, 2) === "BM",
  "a JPEG 2000 picture": (bytes) => text(bytes, 4, 8) === "jP  " || startsWith(bytes, 0xff, 0x4f, 0xff, 0x51),
  "a JPEG XL picture": (bytes) => text(bytes, 4, 8) === "JXL " || startsWith(bytes, 0xff, 0x0a),
  "a Photoshop document": (bytes) => text(bytes, 0, 4) === "8BPS",
  "an icon": (bytes) => startsWith(bytes, 0, 0, 1, 0),
  "a PDF": (bytes) => text(bytes, 0, 5) === "%PDF-",
  "gzip-compressed data": (bytes) => startsWith(bytes, 0x1f, 0x8b),
  "a ZIP archive": (bytes) => startsWith(bytes, 0x50, 0x4b, 3, 4),
};

/** A file's picture format by its first bytes, whatever its name says; or what it is instead, in words. */
export function imageFormatOf(bytes: Uint8Array): { readonly format: ImageFormat } | { readonly instead: string } {
  for (const [format, test] of Object.entries(READ)) if (test(bytes)) return { format: format as ImageFormat };
  const instead = Object.keys(REFUSED).find((name) => REFUSED[name](bytes));
  if (instead) return { instead };
  const start = bytes.subarray(0, 16);
  const printable = start.length > 0 && start.every((byte) => (byte >= 32 && byte < 127) || byte === 9 || byte === 10 || byte === 13);
  const hex = Array.from(start.subarray(0, 8), (byte) => byte.toString(16).padStart(2, "0")).join(" ");
  return { instead: printable ? `text that starts ${JSON.stringify(text(start, 0, 16))}` : `bytes that start ${hex}` };
}
