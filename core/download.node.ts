import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { open, readFile, rename, rm, stat } from "node:fs/promises";
import { basename, join } from "node:path";
import { writeWhole } from "./atomic-file.node.ts";
import { FivecropError, messageOf } from "./errors.ts";
import { fileReason } from "./file-error.ts";
import { makeDirectory } from "./make-directory.node.ts";
import { count } from "./text.ts";

/** A file as it is published. */
export interface SourceFile {
  readonly url: string;
  /** Its size in bytes and its hash, where they are published; of the sha256 its beginning is enough. */
  readonly bytes?: number;
  readonly md5?: string;
  readonly sha256?: string;
}

export interface DownloadOptions {
  readonly onProgress?: (done: number, total: number | undefined) => void;
  /** How often in a row a connection may fail without a byte more, 5. */
  readonly tries?: number;
  /** Milliseconds before the second try; twice as many before each further one. */
  readonly pause?: number;
  /** Milliseconds without a byte after which a connection counts as cut. */
  readonly patience?: number;
}

/** A failure that another try may mend. */
class Passing extends Error {}

const sizeOf = async (file: string): Promise<number> => (await stat(file).catch(() => undefined))?.size ?? 0;

/**
 * Fetches a file. What has arrived stays in `target.part`, and is gone on with by a range request, in this call or a later one.
 * @throws FivecropError where the server does not have it, the connection fails for good, or size or hash are not the published ones: what arrived is then thrown away.
 */
export async function download(file: SourceFile, target: string, options: DownloadOptions = {}): Promise<void> {
  const { tries = 5, pause = 1000 } = options;
  const part = `${target}.part`;
  let failures = 0;
  let most = await sizeOf(part);
  for (;;) {
    const before = await sizeOf(part);
    try {
      if (before === 0 || before !== file.bytes) await receive(file, part, options);
      break;
    } catch (cause) {
      if (!(cause instanceof Passing)) throw cause;
      const size = await sizeOf(part);
      failures = size > most ? 1 : failures + 1;
      most = Math.max(most, size);
      if (failures >= tries) throw new FivecropError(`${file.url}: ${cause.message}, ${tries} times. ${await keptText(part)}`, { cause });
      await new Promise((resolve) => setTimeout(resolve, pause * 2 ** (failures - 1)));
    }
  }
  try {
    await checkFile(part, file);
  } catch (error) {
    await rm(part, { force: true });
    throw error;
  } finally {
    await rm(validatorFile(part), { force: true });
  }
  await rename(part, target);
}

/** The file name in an address. */
export const lastName = (url: string): string => basename(new URL(url).pathname) || "download";

/** Whether a text is the address of something to fetch. */
export const isAddress = (text: string): boolean => /^https?:\/\//i.test(text);

/**
 * Fetches a file into a folder for downloads, each address in a folder of its own there; what has arrived already is not fetched again.
 * @returns its path
 * @throws FivecropError as download does
 */
export async function downloadInto(downloads: string, file: SourceFile, options: DownloadOptions = {}): Promise<string> {
  const folder = join(downloads, createHash("sha256").update(file.url).digest("hex").slice(0, 8));
  const target = join(folder, lastName(file.url));
  await makeDirectory(folder);
  const isThere = await stat(target).catch(() => undefined);
  if (!isThere) await download(file, target, options);
  return target;
}

/** What tells one version of a file on the server from another: a range of a file that has changed since is refused by the server. */
const validatorFile = (part: string): string => `${part}.version`;

const versionOf = (part: string): Promise<string> => readFile(validatorFile(part), "utf8").catch(() => "");

/** What of a download that failed is of use in another call: nothing where the server does not tell one version of its file from another. */
async function keptText(part: string): Promise<string> {
  const kept = await sizeOf(part);
  return kept > 0 && (await versionOf(part)) !== ""
    ? `${count(kept)} bytes are kept: the same command goes on from there.`
    : "To fix: try again later: the same command begins anew.";
}

const etagOf = ({ headers }: Response): string => headers.get("etag")?.replace(/^W\/.*/, "") ?? ""; // a weak one does not tell bytes apart
const lastModifiedOf = ({ headers }: Response): string => headers.get("last-modified") ?? "";

/** Whether an answer says that it is of another version: a server may not heed `if-range`. */
function isOther(response: Response, version: string): boolean {
  const found = version.startsWith('"') ? etagOf(response) : lastModifiedOf(response);
  return found !== "" && found !== version;
}

async function forget(part: string): Promise<void> {
  await rm(part, { force: true });
  await rm(validatorFile(part), { force: true });
}

async function receive({ url, bytes }: SourceFile, part: string, { onProgress, patience = 60_000 }: DownloadOptions): Promise<void> {
  const have = await sizeOf(part);
  const version = await versionOf(part);
  const resume = have > 0 && version !== "";
  const controller = new AbortController();
  const stop = (): void => controller.abort();
  let timer = setTimeout(stop, patience);
  try {
    const headers = { "accept-encoding": "identity", ...(resume && { range: `bytes=${have}-`, "if-range": version }) };
    const response = await fetch(url, { signal: controller.signal, headers }).catch((error: Error) => {
      throw new Passing(`no connection (${messageOf(error.cause ?? error)})`, { cause: error });
    });
    const range = /^bytes (?:(\d+)-\d+|\*)\/(\d+|\*)$/.exec(response.headers.get("content-range") ?? "");
    const size = Number(range?.[2] ?? Number.NaN);
    if (response.status === 416 && resume) {
      if (size === have && !isOther(response, version)) return; // nothing is missing: it was stopped after the last byte
      await forget(part);
      throw new Passing("the server has another version of the file");
    }
    if (response.status >= 500 || response.status === 429)
      throw new Passing(`the server answers ${response.status} ${response.statusText}`);
    if (!response.ok || !response.body)
      throw new FivecropError(
        `${url}: the server answers ${response.status} ${response.statusText}. To fix: fetch the file by other means, and give it with --from FILE.`,
      );
    const from = response.status === 206 ? have : 0;
    if (from > 0 && isOther(response, version)) {
      await forget(part);
      throw new Passing("the server has another version of the file");
    }
    if (response.status === 206 && !(resume && Number(range?.[1]) === have)) {
      await forget(part);
      throw new Passing("the server sends another range than the one asked for");
    }
    const length = Number(response.headers.get("content-length") ?? Number.NaN);
    const total = Number.isFinite(length) ? from + length : Number.isFinite(size) ? size : bytes;
    if (from === 0) {
      await forget(part);
      await writeWhole(validatorFile(part), etagOf(response) || lastModifiedOf(response));
    }
    const file = await open(part, "a");
    let done = from;
    try {
      for await (const chunk of response.body as AsyncIterable<Uint8Array>) {
        clearTimeout(timer);
        timer = setTimeout(stop, patience);
        await file.writeFile(chunk);
        done += chunk.length;
        onProgress?.(done, total);
      }
    } catch (error) {
      if ((error as NodeJS.ErrnoException).syscall === "write")
        throw new FivecropError(`cannot write ${part}: ${fileReason(error)}. To fix: free some space, or choose another --data-dir.`, {
          cause: error,
        });
      throw new Passing(`the connection was cut after ${count(done)} bytes`, { cause: error });
    } finally {
      await file.close();
    }
    if (total !== undefined && done < total) throw new Passing(`the connection was cut after ${count(done)} of ${count(total)} bytes`);
  } finally {
    clearTimeout(timer);
    stop(); // what is not read of an answer is not waited for
  }
}

/** @throws FivecropError where a file is not of the published size or hash. */
export async function checkFile(path: string, { url, bytes, md5, sha256 }: SourceFile): Promise<void> {
  const mend = "It is damaged or another file. To fix: fetch it again.";
  const size = await sizeOf(path);
  if (bytes !== undefined && size !== bytes)
    throw new FivecropError(`${url}: expected ${count(bytes)} bytes as published, received ${count(size)}. ${mend}`);
  for (const [algorithm, expected] of Object.entries({ md5, sha256 })) {
    if (expected === undefined) continue;
    const hash = createHash(algorithm);
    for await (const chunk of createReadStream(path)) hash.update(chunk);
    const found = hash.digest("hex");
    if (!found.startsWith(expected))
      throw new FivecropError(
        `${url}: expected the published ${algorithm} hash ${expected}${expected.length < found.length ? "…" : ""}, received a file of ${found}. ${mend}`,
      );
  }
}
