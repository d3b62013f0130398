/** Work that holds memory until it is done. */
export interface Job<T> {
  readonly bytes: number;
  /** @returns undefined where nobody has room for it yet */
  start(): Promise<T> | undefined;
}

export interface MemoryQueue {
  /** Starts the job in its turn. @throws what `clear` was given. */
  add<T>(job: Job<T>): Promise<T>;
  /** Rejects what was not started. */
  clear(reason: Error): void;
}

/** Starts jobs in their order, as long as those under way hold no more than so many bytes together; a larger one goes alone. */
export function createMemoryQueue(limit: number): MemoryQueue {
  const waiting: { readonly bytes: number; readonly start: () => boolean; readonly reject: (reason: Error) => void }[] = [];
  let held = 0;

  function advance(): void {
    while (waiting.length > 0) {
      const [{ bytes, start }] = waiting;
      if ((held > 0 && held + bytes > limit) || !start()) return;
      waiting.shift();
    }
  }

  return {
    add: ({ bytes, start }) =>
      new Promise((resolve, reject) => {
        const begin = (): boolean => {
          const started = start();
          if (!started) return false;
          held += bytes;
          resolve(
            started.finally(() => {
              held -= bytes;
              advance();
            }),
          );
          return true;
        };
        waiting.push({ bytes, start: begin, reject });
        advance();
      }),
    clear(reason) {
      for (const { reject } of waiting.splice(0)) reject(reason);
    },
  };
}
