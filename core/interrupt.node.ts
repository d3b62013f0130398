import { EXIT } from "./command-line.node.ts";

type Signal = "SIGINT" | "SIGTERM";

/** Ctrl-C, in two steps. */
export interface Interrupt {
  /** Aborted by the first signal: what is under way comes to a good end. */
  readonly signal: AbortSignal;
  /** What the process should exit with, after a signal. */
  exitCode(): number | undefined;
  dispose(): void;
}

/** Listens for SIGINT and SIGTERM: the first aborts `signal`, the second ends the process at once. */
export function listenForInterrupt(onFirst: () => void): Interrupt {
  const controller = new AbortController();
  let received: Signal | undefined;
  const listener = (signal: Signal): void => {
    if (received) process.exit(EXIT[signal]);
    received = signal;
    controller.abort();
    onFirst();
  };
  process.on("SIGINT", listener).on("SIGTERM", listener);
  return {
    signal: controller.signal,
    exitCode: () => received && EXIT[received],
    dispose() {
      process.off("SIGINT", listener).off("SIGTERM", listener);
    },
  };
}
