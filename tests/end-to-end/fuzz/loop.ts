import { type ChildProcess, spawn } from "node:child_process";
import { join, resolve } from "node:path";

const DIST = resolve(import.meta.dirname, "../../../dist");
const CHILD = join(import.meta.dirname, "loop.child.mjs");
/** Of what a process may allocate: a bomb of memory ends here, not in the machine's own. */
const KILOBYTES = 4_000_000;

export interface Ran {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
  /** The process's peak of resident memory so far. */
  readonly megabytes: number;
}

/** A process that runs the command line again and again. */
export interface CommandLoop {
  /** @returns what a run did; where it took the process with it or did not end in time, how. */
  run(args: readonly string[], seconds: number): Promise<Ran | { readonly crash: string }>;
  end(): void;
}

/** A process is started when there is something to run, and again after a crash. What native code says by itself counts as a crash, too. */
export function commandLoop(): CommandLoop {
  let child: ChildProcess | undefined;
  let native = "";

  function start(): ChildProcess {
    native = "";
    const { FIVECROP_DATA: _, npm_command: __, ...env } = process.env;
    const limited = spawn("bash", ["-c", `ulimit -d ${KILOBYTES} -c 0; exec "$@"`, "bash", process.execPath, CHILD, DIST], {
      env,
      stdio: ["ignore", "pipe", "pipe", "ipc"],
    });
    for (const stream of [limited.stdout, limited.stderr])
      stream?.setEncoding("utf8").on("data", (text: string) => {
        native += text;
      });
    return limited;
  }

  return {
    run(args, seconds) {
      child ??= start();
      const running = child;
      return new Promise((done) => {
        const finish = (result: Ran | { readonly crash: string }): void => {
          clearTimeout(timer);
          running.off("message", answered).off("close", ended);
          done(result);
        };
        const answered = (ran: unknown): void => {
          const said = native;
          native = "";
          finish(said ? { crash: `native code wrote: ${said}` } : (ran as Ran));
        };
        const ended = (code: number | null, signal: string | null): void => {
          child = undefined;
          finish({ crash: `ended with ${signal ?? `code ${code}`}: ${native.slice(0, 2000)}` });
        };
        const timer = setTimeout(() => {
          running.kill("SIGKILL");
        }, seconds * 1000);
        running.on("message", answered).on("close", ended);
        running.send({ args });
      });
    },
    end: () => void child?.kill("SIGKILL"),
  };
}
