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
 * One line of less than `columns` characters: the bar takes what the texts leave. Where they leave too little it goes, then the first facts, but for the
 * last two (the rate and what is left).
 */
export function barLine(done: number, total: number, { label, facts }: Payload, columns: number): string {
  const room = columns - 1;
  const percentage = share(done, total);
  const width = Math.min(MOST, room - [label, "", percentage, facts].join(GAP).length);
  if (width >= LEAST) {
    const full = Math.round((width * done) / Math.max(1, total));
    return [label, "━".repeat(full) + "╌".repeat(width - full), percentage, facts].join(GAP);
  }
  const texts = [label, percentage.trim(), ...facts.split(GAP).filter(Boolean)];
  while (texts.length > 2 + KEPT && texts.join(GAP).length > room) texts.splice(2, 1);
  const line = texts.join(GAP);
  return line.length <= room ? line : texts.join(" ").slice(0, room);
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
