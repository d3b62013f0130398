import { FivecropError } from "../core/errors.ts";

/** Asked between the parts of some work. @throws FivecropError where its time is over. */
export type InTime = () => void;

/**
 * Work that has so many seconds. What blocks its own thread, as onnxruntime-node's runs do, is stopped where it asks `inTime` next.
 * @param stop aborted where its time is over: without it what is under way is left to itself
 * @throws FivecropError where it takes longer.
 */
export async function within<T>(seconds: number, work: (inTime: InTime) => Promise<T>, stop?: AbortController): Promise<T> {
  const late = (): FivecropError => new FivecropError(`it took more than ${seconds} seconds to start`);
  const end = performance.now() + 1e3 * seconds;
  const inTime = (): void => {
    if (performance.now() > end) throw late();
  };
  let timer: ReturnType<typeof setTimeout> | undefined;
  const over = new Promise<never>((_, failed) => {
    timer = setTimeout(() => {
      failed(late());
      stop?.abort();
    }, 1e3 * seconds);
  });
  try {
    return await Promise.race([work(inTime), over]);
  } finally {
    clearTimeout(timer);
  }
}
