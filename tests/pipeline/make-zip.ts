import { lstat, readdir, readFile, readlink } from "node:fs/promises";
import { join } from "node:path";
import { crc32, deflateRawSync } from "node:zlib";

/** A folder's files and links as a zip, written as the format's description says. @see https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT */
export async function zipOf(folder: string): Promise<Buffer> {
  const [local, central]: [Buffer[], Buffer[]] = [[], []];
  let offset = 0;
  const paths = (await readdir(folder, { recursive: true })).sort();
  for (const path of paths) {
    const stat = await lstat(join(folder, path));
    if (stat.isDirectory()) continue;
    const content = stat.isSymbolicLink() ? Buffer.from(await readlink(join(folder, path))) : await readFile(join(folder, path));
    const packed = deflateRawSync(content);
    const name = Buffer.from(path);
    const common = Buffer.alloc(26);
    common.writeUInt16LE(20, 0);
    common.writeUInt16LE(8, 4);
    common.writeUInt32LE(crc32(content), 10);
    common.writeUInt32LE(packed.length, 14);
    common.writeUInt32LE(content.length, 18);
    common.writeUInt16LE(name.length, 22);
    const entry = Buffer.concat([Buffer.from("PK\x03\x04", "latin1"), common, name, packed]);
    const more = Buffer.alloc(14);
    more.writeUInt32LE((stat.mode << 16) >>> 0, 6);
    more.writeUInt32LE(offset, 10);
    central.push(Buffer.concat([Buffer.from("PK\x01\x02\x14\x03", "latin1"), common, more, name]));
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
