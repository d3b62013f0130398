import { createReadStream, createWriteStream } from "node:fs";
import { mkdir, open, stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { pipeline } from "node:stream/promises";
import { extract, type ReadEntry } from "tar";
import yauzl from "yauzl";
import { FivecropError, messageOf } from "../../core/errors.ts";

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

/**
 * Unpacks a .tar, .tar.gz or .zip into a folder that is there. Only plain files and folders are taken.
 * @param onProgress is told the archive's bytes that are read.
 * @throws FivecropError where it is no such archive, damaged or cut short, or has links or names that lead out of the folder: what is in the folder then is not to be used. Error as the system says it, where a file cannot be read or written.
 */
export async function unpack(archive: string, into: string, onProgress?: (done: number, total: number) => void): Promise<void> {
  const kind = await archiveKind(archive);
  if (!kind) throw new FivecropError(`${archive}: expected a .tar.gz, .tar or .zip archive, found another file.`);
  const { size } = await stat(archive);
  try {
    await UNPACK[kind](archive, into, (done) => onProgress?.(done, size));
  } catch (cause) {
    if (cause instanceof FivecropError || (cause as NodeJS.ErrnoException).syscall !== undefined) throw cause;
    throw new FivecropError(`${archive}: the archive is damaged or cut short: ${messageOf(cause)}. To mend: fetch it again.`, { cause });
  }
}

const refused = (archive: string, path: string, why: string): FivecropError =>
  new FivecropError(`${archive}: refused: its entry '${path}' ${why}. Expected plain files and folders only. Nothing of it was kept.`);

const UNPACK: { readonly [K in Kind]: (archive: string, into: string, read: (done: number) => void) => Promise<void> } = {
  async tar(archive, into, read) {
    let offence: FivecropError | undefined;
    const filter = (path: string, entry: unknown): boolean => {
      const { type } = entry as ReadEntry;
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
  async zip(archive, into, read) {
    const zip = await yauzl.openPromise(archive, { lazyEntries: true, autoClose: true, validateEntrySizes: true });
    let done = 0;
    for await (const entry of zip.eachEntry()) {
      const path = entry.fileName;
      const mode = (entry.externalFileAttributes >>> 16) & 0o170000;
      if (leavesFolder(path)) throw refused(archive, path, "leads out of the folder");
      if (mode === 0o120000) throw refused(archive, path, "is a link");
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
