import { DeviceMemoryError } from "../../core/errors.ts";

/**
 * Computes with a batch of images [N, C, H, W].
 * @throws DeviceMemoryError that knows their shape, where memory is short.
 */
export async function ofImages<T>(images: readonly number[], compute: () => Promise<T>): Promise<T> {
  try {
    return await compute();
  } catch (error) {
    if (!(error instanceof DeviceMemoryError)) throw error;
    throw new DeviceMemoryError(error.message, { cause: error, images });
  }
}
