import { EXIT } from "./command-line.node.ts";
import type { ProgressBar } from "./progress-bar.node.ts";

type Signal = "SIGINT" | "SIGTERM";

/** Ctrl-C, in two steps. */
export interface Interrupt {
  /** Aborted by the first signal: what is under way comes to a good end. */
  readonly signal: AbortSignal;
  /** What the process should exit with, after a signal. */
  exitCode(): number | undefined;
  dispose(): void;
}

/** Listens for SIGINT and SIGTERM: the first aborts `signal`; the second finds no listener and ends the process at once, also in the midst of a step. */
export function listenForInterrupt(onFirst: () => void): Interrupt {
  const controller = new AbortController();
  let received: Signal | undefined;
  const dispose = (): void => {
    process.off("SIGINT", listener).off("SIGTERM", listener);
  };
  const listener = (signal: Signal): void => {
    received = signal;
    dispose();
    controller.abort();
    onFirst();
  };
  process.on("SIGINT", listener).on("SIGTERM", listener);
  return { signal: controller.signal, exitCode: () => received && EXIT[received], dispose };
}

/** The same for work that leaves nothing half done behind: says so at the first signal. */
export const stopAtInterrupt = (progress: ProgressBar): Interrupt =>
  listenForInterrupt(() => {
    progress.end();
    process.stderr.write("Stopping; nothing more is written.\n");
  });
