// Where the work is kept: the browser's own storage, or memory where a browser refuses it.
import { type DBSchema, openDB } from "idb";
import { reasonOf } from "../../../core/errors.ts";
import type { OwnPicture } from "./messages.ts";

/** A picture as it is kept: its file as it was given, and a small one to show. */
export interface KeptPicture extends OwnPicture {
  readonly file: Uint8Array;
  readonly thumbnail: Uint8ClampedArray<ArrayBuffer>;
}

export interface Store {
  /** Why it ends with the page, as the browser says it; left out where it outlives the page. */
  readonly whyNotKept?: string;
  pictures(): Promise<readonly KeptPicture[]>;
  picture(id: number): Promise<KeptPicture | undefined>;
  putPicture(picture: KeptPicture): Promise<void>;
  deletePictures(ids: readonly number[]): Promise<void>;
  get<T>(name: string): Promise<T | undefined>;
  set(name: string, value: unknown): Promise<void>;
  delete(names: readonly string[]): Promise<void>;
  clear(): Promise<void>;
}

interface Schema extends DBSchema {
  pictures: { key: number; value: KeptPicture };
  work: { key: string; value: unknown };
}

/** Of this page alone: another one of the same origin keeps its own. */
export const NAME = `fivecrop-own ${new URL(".", self.location.href).pathname}`;

/** The browser's storage. @throws where it is blocked, as in some private windows, or fails. */
async function keptStore(): Promise<Store> {
  const database = await openDB<Schema>(NAME, 1, {
    upgrade(opened) {
      opened.createObjectStore("pictures", { keyPath: "id" });
      opened.createObjectStore("work");
    },
  });
  return {
    pictures: () => database.getAll("pictures"),
    picture: (id) => database.get("pictures", id),
    putPicture: async (picture) => void (await database.put("pictures", picture)),
    async deletePictures(ids) {
      const { store, done } = database.transaction("pictures", "readwrite");
      await Promise.all([...ids.map((id) => store.delete(id)), done]);
    },
    get: async <T>(name: string) => (await database.get("work", name)) as T | undefined,
    set: async (name, value) => void (await database.put("work", value, name)),
    async delete(names) {
      const { store, done } = database.transaction("work", "readwrite");
      await Promise.all([...names.map((name) => store.delete(name)), done]);
    },
    async clear() {
      const transaction = database.transaction(["pictures", "work"], "readwrite");
      await Promise.all([transaction.objectStore("pictures").clear(), transaction.objectStore("work").clear(), transaction.done]);
    },
  };
}

function memoryStore(whyNotKept: string): Store {
  const pictures = new Map<number, KeptPicture>();
  const work = new Map<string, unknown>();
  return {
    whyNotKept,
    pictures: async () => [...pictures.values()],
    picture: async (id) => pictures.get(id),
    putPicture: async (picture) => void pictures.set(picture.id, picture),
    deletePictures: async (ids) => {
      for (const id of ids) pictures.delete(id);
    },
    get: async <T>(name: string) => work.get(name) as T | undefined,
    set: async (name, value) => void work.set(name, value),
    delete: async (names) => {
      for (const name of names) work.delete(name);
    },
    clear: async () => {
      pictures.clear();
      work.clear();
    },
  };
}

/** The page says which of the two it is, and why. */
export const openStore = (): Promise<Store> => keptStore().catch((error) => memoryStore(reasonOf(error)));
