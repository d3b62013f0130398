/** An error that a person can act on: its message says what happened, what was expected, what was found, and how to mend it. */
export class FivecropError extends Error {
  override readonly name: string = "FivecropError";
}

/** The caller asked for something that does not exist or cannot be: the command line exits with 2. */
export class UsageError extends FivecropError {
  override readonly name = "UsageError";
}

/** Shapes, types or attributes of a graph's node do not fit together. */
export class ShapeError extends FivecropError {
  override readonly name = "ShapeError";
}

/** A device has not the memory for what it was to compute. */
export class DeviceMemoryError extends FivecropError {
  override readonly name = "DeviceMemoryError";
  /** [N, C, H, W] of the images that it was to compute with, where that is known. */
  readonly images: readonly number[] | undefined;

  constructor(message: string, { images, ...options }: ErrorOptions & { readonly images?: readonly number[] } = {}) {
    super(message, options);
    this.images = images;
  }
}

/** A device stopped working: what it held is gone. */
export class DeviceLostError extends FivecropError {
  override readonly name = "DeviceLostError";
}

/** A picture cannot be read: a matter of this picture, not of the model that was asked. */
export class PictureError extends FivecropError {
  override readonly name = "PictureError";
}

/** The message of anything that was thrown. */
export const messageOf = (thrown: unknown): string => (thrown instanceof Error ? thrown.message : String(thrown));

/** What went wrong, without what to do about it and without its full stop: a part of another sentence. */
export const reasonOf = (thrown: unknown): string => messageOf(thrown).replace(/(\. To fix: .*)?\.?$/s, "");

/** What reads a file's bytes does not know its name. @throws FivecropError, the error of `read` behind the file's name */
export function namingFile<Read>(file: string, read: () => Read): Read {
  try {
    return read();
  } catch (cause) {
    throw new FivecropError(`${file}: ${messageOf(cause)}`, { cause });
  }
}
