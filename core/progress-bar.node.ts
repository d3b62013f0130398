import { type Options, type Params, SingleBar } from "cli-progress";

/** Shows how far something is: on a terminal a bar on the last line, elsewhere a line now and then. All on standard error. */
export interface ProgressBar {
  /** @param label before the bar, such as `epoch 2/5`. @param facts after it. */
  show(done: number, total: number, label: string, facts: string): void;
  /** Takes the bar away, so that a line can be written. The next `show` brings it back. */
  clear(): void;
  /** Takes it away for good. */
  end(): void;
}

interface Payload {
  readonly label: string;
  readonly facts: string;
}

const [LEAST, MOST] = [8, 32];
/** Milliseconds between two lines where there is no terminal. */
const BETWEEN_LINES = 10_000;
const GAP = "  ";
const KEPT = 2;

const share = (done: number, total: number): string => `${Math.floor((100 * done) / Math.max(1, total))} %`.padStart(5);

/**
 * One line of at most `columns` characters: the bar takes what the texts leave. Where they leave too little, the first facts go, but for the last two
 * (the rate and what is left), then the bar.
 */
export function barLine(done: number, total: number, { label, facts }: Payload, columns: number): string {
  const percentage = share(done, total);
  const all = facts.split(GAP).filter(Boolean);
  for (let first = 0; first <= Math.max(0, all.length - KEPT); first++) {
    const shown = all.slice(first).join(GAP);
    const width = Math.min(MOST, columns - 1 - [label, "", percentage, shown].join(GAP).length);
    if (width < LEAST) continue;
    const full = Math.round((width * done) / Math.max(1, total));
    return [label, "━".repeat(full) + "╌".repeat(width - full), percentage, shown].join(GAP);
  }
  return [label, percentage.trim(), ...all.slice(-KEPT)].join(" ").slice(0, columns - 1);
}

/** @param options.quiet shows nothing: the output is for a machine. */
export function createProgressBar({ quiet = false }: { readonly quiet?: boolean } = {}): ProgressBar {
  if (quiet) return { show: () => undefined, clear: () => undefined, end: () => undefined };
  return process.stderr.isTTY && process.env.TERM !== "dumb" ? bar() : lines();
}

function bar(): ProgressBar {
  let shown: { readonly bar: SingleBar; readonly total: number } | undefined;
  const format = (_: Options, { value, total }: Params, payload: Payload): string =>
    barLine(value, total, payload, process.stderr.columns || 80);
  let ended = false;
  const clear = (): void => {
    shown?.bar.stop();
    shown = undefined;
    process.off("exit", clear);
  };
  return {
    show(done, total, label, facts) {
      if (ended) return;
      if (shown?.total !== total) {
        clear();
        process.once("exit", clear);
        // Work that blocks the event loop starves timers: the bar is drawn from its updates.
        shown = {
          total,
          bar: new SingleBar({ format, stream: process.stderr, fps: 8, hideCursor: true, clearOnComplete: true, synchronousUpdate: true }),
        };
        shown.bar.start(total, done, { label, facts });
      } else shown.bar.update(done, { label, facts });
    },
    clear,
    end() {
      ended = true;
      clear();
    },
  };
}

function lines(): ProgressBar {
  let last = performance.now();
  return {
    show(done, total, label, facts) {
      if (performance.now() - last < BETWEEN_LINES) return;
      last = performance.now();
      process.stderr.write(`${[label, share(done, total).trim(), facts].join(GAP)}\n`);
    },
    clear: () => undefined,
    end: () => undefined,
  };
}
