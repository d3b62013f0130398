const ENDED = 0;
const BUSY = 1;

/** What a thread and its owner know of each other at once, without messages. */
export interface ThreadState {
  /** The thread takes up a piece of work. @returns false where none is wanted any more. */
  begin(): boolean;
  end(): void;
  /** No further work is begun. */
  stop(): void;
  /** Blocks until no work is under way. */
  wait(): void;
}

/** @param memory shared by the two sides: two 32-bit numbers, at first 0. */
export function threadState(memory: SharedArrayBuffer): ThreadState {
  const state = new Int32Array(memory);
  const end = (): void => {
    Atomics.sub(state, BUSY, 1);
    Atomics.notify(state, BUSY);
  };
  return {
    begin() {
      Atomics.add(state, BUSY, 1); // before the look at ENDED, so that `stop` and `wait` see one of the two
      if (!Atomics.load(state, ENDED)) return true;
      end();
      return false;
    },
    end,
    stop: () => void Atomics.store(state, ENDED, 1),
    wait() {
      for (let busy = Atomics.load(state, BUSY); busy > 0; busy = Atomics.load(state, BUSY)) Atomics.wait(state, BUSY, busy);
    },
  };
}

/** The threads that this process has. Where it exits, each finishes the native call that it is in: cut off there, onnxruntime-node aborts the process. */
const live = new Set<ThreadState>();
process.on("exit", () => {
  for (const state of live) state.stop();
  for (const state of live) state.wait();
});

export const STATE_BYTES = 8;

/** @returns to be called once the thread has ended. */
export function awaitAtExit(state: ThreadState): () => void {
  live.add(state);
  return () => void live.delete(state);
}
