import { messageOf } from "./errors.ts";

/** What the system's codes mean, for who named the file. */
const REASONS: Readonly<Record<string, string>> = {
  ENOENT: "there is no such file or folder",
  ENOTDIR: "a part of its path is a file, where a folder is expected",
  EISDIR: "it is a folder, where a file is expected",
  EEXIST: "there is a file of that name, where a folder is expected",
  EACCES: "no permission",
  EPERM: "no permission",
  EROFS: "the file system is read-only",
  ENOSPC: "the disk is full",
  EDQUOT: "the disk quota is used up",
  EFBIG: "it would be larger than files may be",
  EMFILE: "too many files are open",
  ELOOP: "its links lead in a circle",
  ENAMETOOLONG: "its name is too long",
  EIO: "the disk reports an error",
};

/** Why a file or folder cannot be read, made or written, in words; what is not known is said as the system says it. */
export const fileReason = (cause: unknown): string =>
  REASONS[(cause as { readonly code?: string } | undefined)?.code ?? ""] ?? messageOf(cause);
