import { join, relative } from "node:path";
import { Command, CommanderError } from "commander";
import { FivecropError, messageOf, UsageError } from "./errors.ts";
import { printable, wrap } from "./text.ts";

/** How the program is called here: npm and npx find a bin that a shell does not, and in a clone it is a file. */
export const PROGRAM = process.env.npm_command
  ? "npx fivecrop"
  : relative(".", process.argv[1] ?? "") === join("dist", "cli.js")
    ? "node dist/cli.js"
    : "fivecrop";

/** What is copied stays on its line: JSON, and commands to run next. */
const isCopied = (line: string): boolean => /^[{[]/.test(line) || line.trimStart().startsWith(`${PROGRAM} `);

const wrapLines = (text: string, { isTTY, columns }: Pick<NodeJS.WriteStream, "isTTY" | "columns">): string =>
  text
    .split("\n")
    .map((line) => (isTTY && !isCopied(line) ? wrap(line, columns) : line))
    .join("\n");

/** A line on standard output; on a narrow terminal several, broken between words. */
export const print = (line: string): void => {
  process.stdout.write(`${wrapLines(printable(line), process.stdout)}\n`);
};

/** The same on standard error, for what is no answer. */
export const printError = (text: string): void => {
  process.stderr.write(`${wrapLines(text, process.stderr)}\n`);
};

/** Exit codes: 0 done, 1 failed, 2 misused, 130 and 143 stopped by SIGINT and SIGTERM. */
export const EXIT = { failed: 1, misused: 2, SIGINT: 130, SIGTERM: 143 } as const;

const toThrow = (command: Command): Command => command.exitOverride().configureOutput({ outputError: () => undefined });
const examplesText = (examples: readonly string[]): string => ["", "Examples:", ...examples.map((line) => `  $ ${line}`)].join("\n");

/** A command with what all have: --json, --debug, examples under its help; misuse is thrown. */
export function createCommand(name: string, summary: string, examples: readonly string[]): Command {
  return toThrow(new Command(name))
    .description(summary)
    .option("--json", "write JSON to standard output, for machines")
    .option("--debug", "show stack traces")
    .addHelpText("after", examplesText(examples));
}

/** The program that holds the commands. */
export function createProgram(name: string, summary: string, version: string, examples: readonly string[]): Command {
  return toThrow(new Command(name)).description(summary).version(version).addHelpText("after", examplesText(examples));
}

/** The option of every command that reads a data set. */
export const DATA_DIR = [
  "--data-dir <dir>",
  "the folder of all data sets (default: $FIVECROP_DATA, else the user's cache folder)",
] as const;

export interface Range {
  readonly whole?: true;
  readonly from?: number;
  readonly above?: number;
  readonly below?: number;
  readonly to?: number;
}

function describeRange({ whole, from, above, below, to }: Range): string {
  const limits = [
    from !== undefined && `of at least ${from}`,
    above !== undefined && `above ${above}`,
    below !== undefined && `below ${below}`,
    to !== undefined && `at most ${to}`,
  ];
  return [whole ? "a whole number" : "a number", limits.filter(Boolean).join(" and ")].filter(Boolean).join(" ");
}

/**
 * Reads an option's text as a number.
 * @throws UsageError that names the option, where it is none or out of range.
 */
export const numberOption =
  (option: string, range: Range = {}) =>
  (text: string): number => {
    const value = text.trim() === "" ? Number.NaN : Number(text);
    const { whole = false, from = -Infinity, above = -Infinity, below = Infinity, to = Infinity } = range;
    const fits =
      Number.isFinite(value) && (!whole || Number.isSafeInteger(value)) && value >= from && value > above && value < below && value <= to;
    if (!fits) throw new UsageError(`${option}: expected ${describeRange(range)}, received '${text}'.`);
    return value;
  };

/** Adds an option's value to those before it: the option may be given several times. */
export const repeated = (value: string, before: readonly string[] = []): readonly string[] => [...before, value];

/**
 * What is said on standard error of something thrown, and the exit code.
 * @param command as it was called, `fivecrop train`.
 */
export function explain(thrown: unknown, command: string, debug: boolean): { readonly text: string; readonly exitCode: number } {
  if (thrown instanceof CommanderError) {
    if (thrown.exitCode === 0) return { text: "", exitCode: 0 };
    if (thrown.code === "commander.help")
      return { text: `fivecrop: there is no such command.\nSee: ${command} --help`, exitCode: EXIT.misused };
    const message = thrown.message.replace(/^error: /, "").replace(/\s*\n\s*/g, " ");
    return { text: `fivecrop: ${message}\nSee: ${command} --help`, exitCode: EXIT.misused };
  }
  const expected = thrown instanceof FivecropError;
  const said = `fivecrop: ${printable(messageOf(thrown).replace(/\s*\n\s*/g, " "))}${expected || debug ? "" : "\nThis is a fault of fivecrop itself; with --debug it shows where."}`;
  return { text: debug ? `${said}\n${stackOf(thrown)}` : said, exitCode: thrown instanceof UsageError ? EXIT.misused : EXIT.failed };
}

/** The stack, and those of its causes. */
function stackOf(thrown: unknown): string {
  if (!(thrown instanceof Error)) return String(thrown);
  return [thrown.stack, ...(thrown.cause === undefined ? [] : [`caused by: ${stackOf(thrown.cause)}`])].join("\n");
}
