import { lstat, readdir, readFile, readlink } from "node:fs/promises";
import { join } from "node:path";
import { crc32, deflateRawSync } from "node:zlib";

export interface ZipEntry {
  readonly name: string;
  readonly content: Uint8Array;
  /** As it is, and not deflated. */
  readonly stored?: boolean;
  /** The size that the zip says it has unpacked, where that is not so. */
  readonly said?: number;
  readonly mode?: number;
}

/** A zip, written as the format's description says. @see https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT */
export function zipEntries(entries: readonly ZipEntry[]): Buffer {
  const [local, central]: [Buffer[], Buffer[]] = [[], []];
  let offset = 0;
  for (const { name, content, stored = false, said = content.length, mode = 0o100644 } of entries) {
    const packed = stored ? Buffer.from(content) : deflateRawSync(content);
    const path = Buffer.from(name);
    const common = Buffer.alloc(26);
    common.writeUInt16LE(20, 0);
    common.writeUInt16LE(stored ? 0 : 8, 4);
    common.writeUInt32LE(crc32(content), 10);
    common.writeUInt32LE(packed.length, 14);
    common.writeUInt32LE(said, 18);
    common.writeUInt16LE(path.length, 22);
    const entry = Buffer.concat([Buffer.from("PK\x03\x04", "latin1"), common, path, packed]);
    const more = Buffer.alloc(14);
    more.writeUInt32LE((mode << 16) >>> 0, 6);
    more.writeUInt32LE(offset, 10);
    central.push(Buffer.concat([Buffer.from("PK\x01\x02\x14\x03", "latin1"), common, more, path]));
    local.push(entry);
    offset += entry.length;
  }
  const directory = Buffer.concat(central);
  const end = Buffer.alloc(18);
  end.writeUInt16LE(central.length, 4);
  end.writeUInt16LE(central.length, 6);
  end.writeUInt32LE(directory.length, 8);
  end.writeUInt32LE(offset, 12);
  return Buffer.concat([...local, directory, Buffer.from("PK\x05\x06", "latin1"), end]);
}

/** A folder's files and links as a zip. */
export async function zipOf(folder: string): Promise<Buffer> {
  const entries: ZipEntry[] = [];
  for (const name of (await readdir(folder, { recursive: true })).sort()) {
    const { mode, ...stat } = await lstat(join(folder, name)).then((found) => ({
      mode: found.mode,
      isFolder: found.isDirectory(),
      isLink: found.isSymbolicLink(),
    }));
    if (stat.isFolder) continue;
    const content = stat.isLink ? Buffer.from(await readlink(join(folder, name))) : await readFile(join(folder, name));
    entries.push({ name, content, mode });
  }
  return zipEntries(entries);
}
