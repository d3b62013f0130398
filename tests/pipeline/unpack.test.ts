import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type UnpackLimits, unpack } from "../../pipeline/datasets/unpack.ts";
import { flowersArchive } from "./flowers-archive.ts";
import { writeTree } from "./make-pictures.ts";
import { zipOf } from "./make-zip.ts";

let root: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "fivecrop-unpack-"));
});
afterEach(() => rm(root, { recursive: true, force: true }));

describe("unpacking", () => {
  const into = () => join(root, "into", "here");
  const refuse = async (name: string, bytes: Uint8Array, message: string) => {
    await mkdir(into(), { recursive: true });
    await writeFile(join(root, name), bytes);
    await expect(unpack(join(root, name), into())).rejects.toThrow(message);
    expect(existsSync(join(root, "evil.txt"))).toBe(false);
    expect(existsSync(join(root, "into", "evil.txt"))).toBe(false);
  };
  /** A tar of one entry, whatever it is called. */
  const tarOf = (path: string, type = "0", link = ""): Buffer => {
    const header = Buffer.alloc(512);
    header.write(path, 0);
    header.write("0000644\0", 100);
    header.write("0000000\0", 108);
    header.write("0000000\0", 116);
    header.write("00000000004\0", 124);
    header.write("00000000000\0", 136);
    header.write("        ", 148);
    header.write(type, 156);
    header.write(link, 157);
    header.write("ustar\0", 257);
    header.write("00", 263);
    if (type !== "0") header.write("00000000000\0", 124);
    header.write(
      `${header
        .reduce((a, b) => a + b)
        .toString(8)
        .padStart(6, "0")}\0 `,
      148,
    );
    const content = type === "0" ? Buffer.concat([Buffer.from("evil"), Buffer.alloc(508)]) : Buffer.alloc(0);
    return Buffer.concat([header, content, Buffer.alloc(1024)]);
  };

  test.each([
    ["../evil.txt", "0", "", "leads out of the folder"],
    ["a/../../evil.txt", "0", "", "leads out of the folder"],
    ["/evil.txt", "0", "", "leads out of the folder"],
    ["..\\evil.txt", "0", "", "leads out of the folder"],
    ["link", "2", "../..", "is of the kind SymbolicLink"],
    ["link", "1", "../../evil.txt", "is of the kind Link"],
    ["device", "3", "", "is of the kind CharacterDevice"],
  ])("a tar with %s (type %s): refused", (path, type, link, message) => refuse("x.tar", tarOf(path, type, link), message));

  test("a zip that leads out of the folder, or has a link: refused", async () => {
    const folder = join(root, "make");
    await writeTree(folder, { "xxevil.txt": "evil" });
    const zip = await zipOf(folder);
    const renamed = Buffer.from(zip.toString("latin1").replaceAll("xxevil.txt", "../eil.txt"), "latin1");
    await refuse("x.zip", renamed, "../eil.txt");
    await symlink("/etc", join(folder, "link"));
    await refuse("y.zip", await zipOf(folder), "is a link");
  });

  test.each(["good.tar.gz", "good.zip"])("%s of more files or bytes than expected: refused before they are written", async (name) => {
    const archive = await flowersArchive(root, name, "flowers");
    const filesIn = async () => (await readdir(into(), { recursive: true, withFileTypes: true })).filter((entry) => entry.isFile()).length;
    const attempt = async (limits: UnpackLimits) => {
      await rm(into(), { recursive: true, force: true });
      await mkdir(into(), { recursive: true });
      await unpack(archive, into(), { limits });
    };
    await attempt({ entries: 1000, bytes: 1e6 });
    const all = await filesIn();
    expect(all).toBeGreaterThan(5);
    await expect(attempt({ entries: 4, bytes: 1e6 })).rejects.toThrow(`${name}: refused: it holds more than 4 files and folders`);
    expect(await filesIn()).toBeLessThanOrEqual(4);
    await expect(attempt({ entries: 1000, bytes: 200 })).rejects.toThrow(`${name}: refused: it holds more than 200 B unpacked`);
    expect(await filesIn()).toBeLessThan(all);
  });

  test("what the disk does not take is not called a damaged archive", async () => {
    const tar = await flowersArchive(root, "good.tar.gz", "flowers");
    await expect(unpack(tar, into())).rejects.toMatchObject({ code: "ENOENT", path: into() });
    const zip = await flowersArchive(root, "good.zip", "flowers");
    await mkdir(into(), { recursive: true });
    await writeFile(join(into(), "flowers"), "a file in the folder's place");
    await expect(unpack(zip, into())).rejects.toMatchObject({ code: "ENOTDIR", path: expect.stringContaining(into()) });
  });

  test("damaged ones are named", async () => {
    const good = await readFile(await flowersArchive(root, "good.tar.gz", "flowers"));
    await refuse("cut.tar.gz", good.subarray(0, good.length / 2), "the archive is damaged or cut short");
    const zip = await readFile(await flowersArchive(root, "good.zip", "flowers"));
    await refuse("cut.zip", zip.subarray(0, zip.length / 2), "the archive is damaged or cut short");
    await refuse("none.zip", Buffer.from("no archive at all"), "expected a .tar.gz, .tar or .zip archive, found another file");
  });
});
