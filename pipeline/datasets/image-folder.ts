import { readdir, stat } from "node:fs/promises";
import { basename, extname, join } from "node:path";
import { FivecropError } from "../../core/errors.ts";
import { fileReason } from "../../core/file-error.ts";
import { plural } from "../../core/text.ts";
import type { Dataset, DatasetDescription } from "../dataset.ts";
import { readImage } from "../decode.node.ts";
import { isPictureName } from "../image-format.ts";

/** What is directly in a folder, by name; hidden files and folders are not there. */
export interface Listing {
  readonly folders: readonly string[];
  readonly pictures: readonly string[];
  readonly others: readonly string[];
}

const HIDDEN = /^\.|^__MACOSX$|^(Thumbs\.db|desktop\.ini)$/i;
const byName = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

/** @param followLinks whether a link to a folder is a folder. @throws FivecropError where the folder is missing, is a file, or cannot be read. */
export async function listFolder(folder: string, whatFor: string, followLinks = true): Promise<Listing> {
  const listing = { folders: [] as string[], pictures: [] as string[], others: [] as string[] };
  try {
    for (const entry of await readdir(folder, { withFileTypes: true })) {
      if (HIDDEN.test(entry.name)) continue;
      const isFolder = entry.isSymbolicLink() ? await leadsToFolder(join(folder, entry.name)) : entry.isDirectory();
      if (isFolder && entry.isSymbolicLink() && !followLinks) listing.others.push(entry.name);
      else listing[isFolder ? "folders" : isPictureName(entry.name) ? "pictures" : "others"].push(entry.name);
    }
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    const found = code === "ENOENT" ? "there is no such folder" : code === "ENOTDIR" ? "this is a file" : fileReason(cause);
    throw new FivecropError(`${folder}: ${found}. Expected ${whatFor}.`, { cause });
  }
  for (const names of Object.values(listing)) names.sort(byName);
  return listing;
}

const leadsToFolder = async (link: string): Promise<boolean> => (await stat(link).catch(() => undefined))?.isDirectory() ?? false;

/** The class folders of a split, sorted by name: the order of the classes, as torchvision's ImageFolder has it. @throws FivecropError where there are not at least two. */
export async function classFolders(folder: string): Promise<readonly string[]> {
  const { folders, pictures } = await listFolder(folder, "a folder with a folder of pictures for each class");
  const expected = `Expected a folder of pictures for each class: ${join(folder, "CLASS", "PICTURE.jpg")}`;
  if (folders.length === 0 && pictures.length > 0)
    throw new FivecropError(
      `${folder}: holds ${plural(pictures.length, "picture")}, such as ${pictures[0]}, but no class folders. ${expected}. To fix: put the pictures of each class into a folder that is called like it.`,
    );
  if (folders.length === 0) throw new FivecropError(`${folder}: holds neither folders nor pictures. ${expected}.`);
  if (folders.length === 1) {
    const inside = await listFolder(join(folder, folders[0]), "a class folder");
    const deeper =
      inside.folders.length > 1 ? ` To fix: name ${join(folder, folders[0])}, which holds ${inside.folders.length} folders.` : "";
    throw new FivecropError(`${folder}: holds one class only, '${folders[0]}'. Expected at least two class folders.${deeper}`);
  }
  return folders;
}

export interface ImageFolderOptions {
  readonly description: DatasetDescription;
  /** Holds a folder for each class. */
  readonly folder: string;
  /** The class folders, in the order of the classes. */
  readonly folders: readonly string[];
  /** What each class is called; as its folder where it is left out. */
  readonly classNames?: readonly string[];
  /** Some class may have no pictures: in what is not trained on. */
  readonly mayBeEmpty?: boolean;
}

/** Collects what is beside the pictures, to say it once. */
interface Beside {
  readonly nested: { readonly folder: string; readonly className: string }[];
  readonly others: string[];
  /** Pictures in no class folder. */
  readonly stray: string[];
}

/** A class's pictures, and those in folders of the class folder. Links to folders there are not followed, so that there is an end. */
async function picturesOf(folder: string, className: string, beside: Beside): Promise<string[]> {
  const { folders, pictures, others } = await listFolder(folder, "a class folder", false);
  for (const name of others) beside.others.push(join(folder, name));
  let files = pictures.map((name) => join(folder, name));
  for (const name of folders) {
    const inner = join(folder, name);
    const within = await picturesOf(inner, className, beside);
    if (within.length > 0) beside.nested.push({ folder: inner, className });
    files = files.concat(within);
  }
  return files;
}

/**
 * Pictures in class folders, at any depth: as torchvision's ImageFolder. They are decoded when they are asked for.
 * @throws FivecropError where a folder cannot be read, is no class of this data set, or a class has no pictures.
 */
export async function openImageFolder(options: ImageFolderOptions): Promise<Dataset> {
  const { description, folder, folders, classNames = folders, mayBeEmpty = false } = options;
  const there = await listFolder(folder, "a folder with a folder of pictures for each class");
  const unknown = there.folders.find((name) => !folders.includes(name));
  if (unknown !== undefined)
    throw new FivecropError(
      `${join(folder, unknown)}: is no class of ${description.name}, which has ${folders.length} classes (${folders.slice(0, 3).join(", ")}, …). To fix: take it away, or add the class to the training pictures.`,
    );
  const pathsOf = (names: readonly string[]) => names.map((name) => join(folder, name));
  const beside: Beside = { nested: [], others: pathsOf(there.others), stray: pathsOf(there.pictures) };
  const empty: EmptyClass[] = [];
  const files: string[] = [];
  const labels: number[] = [];
  for (const [label, name] of folders.entries()) {
    const before = beside.others.length;
    const found = there.folders.includes(name) ? await picturesOf(join(folder, name), name, beside) : [];
    if (found.length === 0) empty.push({ name, others: beside.others.slice(before) });
    for (const file of found) {
      files.push(file);
      labels.push(label);
    }
  }
  if (empty.length > 0 && !mayBeEmpty) throw new FivecropError(emptyText(folder, empty));
  if (files.length === 0) throw new FivecropError(`${folder}: expected pictures in its class folders, found none.`);
  return {
    name: description.name,
    classNames,
    length: files.length,
    labels: Uint16Array.from(labels),
    image: (index) => readImage(files[index]),
    file: (index) => files[index],
    notes: notesOn(beside),
    description,
  };
}

interface EmptyClass {
  readonly name: string;
  /** Files in it that are no pictures. */
  readonly others: readonly string[];
}

/** How many class folders are named. */
const MOST_NAMED = 10;

function emptyText(folder: string, empty: readonly EmptyClass[]): string {
  const [{ name, others }] = empty;
  const more = empty.length - MOST_NAMED;
  const names = empty.slice(0, MOST_NAMED).map((each) => `'${each.name}'`);
  const where =
    empty.length === 1
      ? `${join(folder, name)}: the class folder has no pictures${others.length ? `, but ${plural(others.length, "other file")}${kindsOf(others)}, such as ${basename(others[0])}` : ""}`
      : `${folder}: ${empty.length} class folders have no pictures: ${names.join(", ")}${more > 0 ? ` and ${more} more` : ""}`;
  return `${where}. Expected JPEG, PNG, WebP, AVIF, GIF or TIFF files. To fix: put pictures into ${empty.length === 1 ? "it, or take it" : "them, or take them"} away.`;
}

/** How many files have which ending, where there are several files: ` (2 .heic, 1 .txt)`. */
function kindsOf(files: readonly string[]): string {
  if (files.length === 1) return "";
  const counts = new Map<string, number>();
  for (const file of files) counts.set(extname(file).toLowerCase(), (counts.get(extname(file).toLowerCase()) ?? 0) + 1);
  const kinds = [...counts].sort((a, b) => b[1] - a[1] || byName(a[0], b[0])).map(([kind, n]) => `${n} ${kind || "without an ending"}`);
  return ` (${kinds.slice(0, 5).join(", ")}${kinds.length > 5 ? ", …" : ""})`;
}

function notesOn({ nested, others, stray }: Beside): readonly string[] {
  const notes: string[] = [];
  if (stray.length)
    notes.push(
      `${plural(stray.length, "picture")} beside the class folders ${stray.length === 1 ? "is" : "are"} of no class and left out, such as ${stray[0]}`,
    );
  if (others.length)
    notes.push(
      `${plural(others.length, "file")} that ${others.length === 1 ? "is no picture of a class is" : "are no pictures of a class are"} left out${kindsOf(others)}, such as ${others[0]}`,
    );
  if (nested.length)
    notes.push(
      `${plural(nested.length, "folder")} in class folders: their pictures count to the class, such as those of ${nested[0].folder} to '${nested[0].className}'`,
    );
  return notes;
}
