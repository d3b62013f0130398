import type { Command } from "commander";
import { createCommand, EXIT, print } from "../../core/command-line.node.ts";
import { duration, printable } from "../../core/text.ts";
import type { Examination, Finding } from "./examine.node.ts";
import type { Machine } from "./machine.node.ts";

/** `doctor`: what this machine has, what works, and what would mend the rest. */
export function doctorCommand(): Command {
  return createCommand(
    "doctor",
    "Say what this machine has, what works here, and what would mend the rest; each is tried with a tiny run.",
    ["fivecrop doctor", "fivecrop doctor --json"],
  ).action(async ({ json = false }: { json?: boolean }) => {
    const { examine } = await import("./examine.node.ts");
    const examining = examine();
    let step = await examining.next();
    for (; !step.done; step = await examining.next())
      if (!json) for (const line of "platform" in step.value ? machineLines(step.value) : findingLines(step.value)) print(line);
    const { machine, findings } = step.value;
    const works = findings.some(({ name, works: does }) => name === "cpu" && does);
    if (json) print(JSON.stringify({ works, machine, findings }));
    else for (const line of ["", conclusion(step.value)]) print(line);
    if (!works) process.exitCode = EXIT.failed;
  });
}

/** As narrow as this terminal, and never wider than what reads well. */
const width = (): number => Math.min(process.stdout.columns || 80, 80);
const LABEL = 14;

function machineLines({ fivecrop, node, platform, processor, memory, graphics }: Machine): string[] {
  const rows: readonly (readonly [string, string])[] = [
    ["fivecrop", fivecrop],
    ["Node", `${node}, ${platform}`],
    ["processor", `${processor}; ${memory} of memory`],
    ["graphics", graphics.join("; ") || "none found"],
  ];
  return ["This machine", ...rows.flatMap(([label, text]) => row("  ", label, text)), "", "What works"];
}

const MARKS = { works: "✓ ", absent: "– ", fails: "✗ " } as const;
/** Long names, shorter than the column. */
const shortName = (name: string): string => name.replace("@tensorflow/", "");

function findingLines({ name, use, works, absent, text, fix, seconds }: Finding): string[] {
  const mark = works ? MARKS.works : absent ? MARKS.absent : MARKS.fails;
  const time = seconds === undefined ? "" : `, ${duration(seconds)}`;
  return [...row(mark, shortName(name), `${use}: ${text}${time}`), ...(fix && !works ? row("  ", "", `to have it: ${fix}`) : [])];
}

/** A label, and beside it a text in as many lines as it takes. */
function row(mark: string, label: string, text: string): string[] {
  const room = width() - mark.length - LABEL - 1;
  const lines: string[] = [];
  for (const word of printable(text).split(/\s+/)) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + 1 + word.length <= room) lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(word);
  }
  return lines.map((line, i) => `${i === 0 ? mark + label.padEnd(LABEL) : " ".repeat(mark.length + LABEL)} ${line}`.trimEnd());
}

function conclusion({ findings }: Examination): string {
  const working = findings.filter(({ works, name }) => works && ["cpu", "webgpu", "cuda"].includes(name)).map(({ name }) => name);
  return working.length ? `train --device takes ${[...working, "auto"].join(", ")} here.` : "Nothing trains here: mend cpu first.";
}
