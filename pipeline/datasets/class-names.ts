import { readFile } from "node:fs/promises";
import { FivecropError, messageOf } from "../../core/errors.ts";
import { fileReason } from "../../core/file-error.ts";

async function readJson(file: string, howToGet: string): Promise<unknown> {
  let text: string;
  try {
    text = await readFile(file, "utf8");
  } catch (cause) {
    throw new FivecropError(`${file}: cannot be read: ${fileReason(cause)}. Expected the names of the classes. ${howToGet}`, { cause });
  }
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new FivecropError(`${file}: expected JSON, found text that is none: ${messageOf(cause)}. ${howToGet}`, { cause });
  }
}

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** @throws FivecropError where two classes have one name. */
function checkDistinct(file: string, names: readonly string[]): readonly string[] {
  const twice = names.find((name, i) => names.indexOf(name) !== i);
  if (twice !== undefined) throw new FivecropError(`${file}: expected a name of its own for each class, found '${twice}' twice.`);
  return names;
}

/**
 * The name of each class folder by `cat_to_name.json`: { "1": "pink primrose", … }.
 * @throws FivecropError where the file is missing or damaged, or does not name a folder.
 */
export async function namesByFolder(file: string, folders: readonly string[], howToGet: string): Promise<readonly string[]> {
  const table = await readJson(file, howToGet);
  const names = folders.map((folder) => {
    const name = isRecord(table) && Object.hasOwn(table, folder) ? table[folder] : undefined;
    if (typeof name !== "string" || name === "")
      throw new FivecropError(
        `${file}: expected the name of class folder '${folder}', found ${JSON.stringify(name) ?? "none"}. ${howToGet}`,
      );
    return name;
  });
  return checkDistinct(file, names);
}

/**
 * The class folders in the order of `category_names.json`: { "i2c": ["abbey", …] }.
 * @throws FivecropError where the file is missing or damaged, or does not list exactly these folders.
 */
export async function folderOrder(file: string, folders: readonly string[], howToGet: string): Promise<readonly string[]> {
  const table = await readJson(file, howToGet);
  const listed = isRecord(table) ? table.i2c : undefined;
  if (!Array.isArray(listed) || listed.some((name) => typeof name !== "string"))
    throw new FivecropError(
      `${file}: expected { "i2c": [names of the classes] }, found ${JSON.stringify(table).slice(0, 60)}. ${howToGet}`,
    );
  const order = checkDistinct(file, listed as readonly string[]);
  const differs = folders.find((name) => !order.includes(name)) ?? order.find((name) => !folders.includes(name));
  if (differs !== undefined)
    throw new FivecropError(
      `${file}: '${differs}' is ${folders.includes(differs) ? "a class folder, but not among its names" : "among its names, but no class folder"}. Expected one name for each folder. ${howToGet}`,
    );
  return order;
}
