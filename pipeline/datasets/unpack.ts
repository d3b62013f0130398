import { createReadStream, createWriteStream } from "node:fs";
import { mkdir, open, stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { pipeline } from "node:stream/promises";
import { extract, type ReadEntry } from "tar";
import yauzl from "yauzl";
import { FivecropError, messageOf } from "../../core/errors.ts";
import { count, bytes as formatBytes } from "../../core/text.ts";

type Kind = "tar" | "zip";

/** An archive's kind by its first bytes, whatever its name says; undefined where it is none. */
export async function archiveKind(path: string): Promise<Kind | undefined> {
  const file = await open(path, "r");
  try {
    const { buffer } = await file.read(Buffer.alloc(512), 0, 512, 0);
    if (buffer.readUInt16BE(0) === 0x1f8b || buffer.toString("latin1", 257, 262) === "ustar") return "tar";
    return buffer.toString("latin1", 0, 4) === "PK\x03\x04" ? "zip" : undefined;
  } finally {
    await file.close();
  }
}

/** What is no data: of macOS' archiver. */
const isLitter = (path: string): boolean => /(^|\/)(__MACOSX\/|\._)/.test(path);

/** A name in an archive that would lead out of the folder that it is unpacked into. */
const leavesFolder = (path: string): boolean => /^[/\\]|^[a-z]:|\\|\0/i.test(path) || path.split("/").includes("..");

/** What an archive may hold, litter included: several times the largest of the data sets, so that a bomb does not fill the disk. */
export interface UnpackLimits {
  readonly entries: number;
  /** Of all its files, unpacked. */
  readonly bytes: number;
}

const LIMITS: UnpackLimits = { entries: 1_000_000, bytes: 10e9 };

/** Adds up an archive's entries. @throws FivecropError, before an entry is unpacked, where it is one too many, or its bytes are. */
function createCount(archive: string, limits: UnpackLimits): (size: number) => void {
  let [entries, total] = [0, 0];
  const tooMuch = (what: string): FivecropError =>
    new FivecropError(
      `${archive}: refused: it holds more than ${what}, which is more than any of the data sets. Nothing of it was kept. To fix: unpack it yourself, and give the directory with --from.`,
    );
  return (size) => {
    entries++;
    total += size;
    if (entries > limits.entries) throw tooMuch(`${count(limits.entries)} files and folders`);
    if (total > limits.bytes) throw tooMuch(`${formatBytes(limits.bytes)} unpacked`);
  };
}

export interface UnpackOptions {
  /** Is told the archive's bytes that are read. */
  readonly onProgress?: (done: number, total: number) => void;
  /** A million files and folders, 10 GB. */
  readonly limits?: UnpackLimits;
}

/**
 * Unpacks a .tar, .tar.gz or .zip into a folder that is there. Only plain files and folders are taken.
 * @throws FivecropError where it is no such archive, damaged or cut short, too large, or has links or names that lead out of the folder: what is in the folder then is not to be used. Error as the system says it, where a file cannot be read or written.
 */
export async function unpack(archive: string, into: string, { onProgress, limits = LIMITS }: UnpackOptions = {}): Promise<void> {
  const kind = await archiveKind(archive);
  if (!kind) throw new FivecropError(`${archive}: expected a .tar.gz, .tar or .zip archive, found another file.`);
  const { size } = await stat(archive);
  try {
    await UNPACK[kind](archive, into, createCount(archive, limits), (done) => onProgress?.(done, size));
  } catch (cause) {
    if (cause instanceof FivecropError || (cause as NodeJS.ErrnoException).syscall !== undefined) throw cause;
    throw new FivecropError(`${archive}: the archive is damaged or cut short: ${messageOf(cause)}. To fix: fetch it again.`, { cause });
  }
}

const refused = (archive: string, path: string, why: string): FivecropError =>
  new FivecropError(`${archive}: refused: its entry '${path}' ${why}. Expected plain files and folders only. Nothing of it was kept.`);

type Unpack = (archive: string, into: string, add: (size: number) => void, read: (done: number) => void) => Promise<void>;

const UNPACK: { readonly [K in Kind]: Unpack } = {
  async tar(archive, into, add, read) {
    let offence: FivecropError | undefined;
    const filter = (path: string, entry: unknown): boolean => {
      if (offence) return false;
      const { type, size } = entry as ReadEntry;
      try {
        add(size);
      } catch (error) {
        offence = error as FivecropError;
      }
      if (leavesFolder(path)) offence ??= refused(archive, path, "leads out of the folder");
      else if (type !== "File" && type !== "OldFile" && type !== "ContiguousFile" && type !== "Directory")
        offence ??= refused(archive, path, `is of the kind ${type}`);
      return !offence && !isLitter(path);
    };
    const source = createReadStream(archive);
    let done = 0;
    source.on("data", (chunk) => {
      done += chunk.length;
      read(done);
    });
    await pipeline(source, extract({ cwd: into, strict: true, filter, noMtime: true }));
    if (offence) throw offence;
    if (done < 1024) throw new Error("it ends before its first entry");
  },
  async zip(archive, into, add, read) {
    const zip = await yauzl.openPromise(archive, { lazyEntries: true, autoClose: true, validateEntrySizes: true });
    let done = 0;
    for await (const entry of zip.eachEntry()) {
      const path = entry.fileName;
      const mode = (entry.externalFileAttributes >>> 16) & 0o170000;
      if (leavesFolder(path)) throw refused(archive, path, "leads out of the folder");
      if (mode === 0o120000) throw refused(archive, path, "is a link");
      add(entry.uncompressedSize);
      done += entry.compressedSize;
      read(done);
      if (isLitter(path)) continue;
      const target = join(into, path);
      await mkdir(path.endsWith("/") ? target : dirname(target), { recursive: true });
      if (!path.endsWith("/")) await pipeline(await zip.openReadStreamPromise(entry), createWriteStream(target));
    }
  },
};

/** A name with or without .gz behind it. */
export const isCalled = (path: string, name: string): boolean => basename(path) === name || basename(path) === `${name}.gz`;
