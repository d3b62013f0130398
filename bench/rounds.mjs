// What the benches share: timed rounds, and their tables.

/** The median of repeated runs, in milliseconds. */
export async function median(run, seconds) {
  const times = [];
  for (const end = performance.now() + seconds * 1e3; performance.now() < end || times.length < 3; ) {
    const start = performance.now();
    await run();
    times.push(performance.now() - start);
  }
  return middle(times);
}

export const middle = (values) => values.toSorted((a, b) => a - b)[values.length >> 1];

/** "13.5 (13.3 … 14.1)": the median, the least and the most. */
export const spread = (values, digits) =>
  values.length
    ? `${middle(values).toFixed(digits)} (${Math.min(...values).toFixed(digits)} … ${Math.max(...values).toFixed(digits)})`
    : "–";

/** Rows as a Markdown table, its columns as wide as their cells. */
export function markdown(rows) {
  const widths = rows[0].map((_, i) => Math.max(...rows.map((row) => row[i].length)));
  const line = (row) => `| ${row.map((cell, i) => cell.padEnd(widths[i])).join(" | ")} |`;
  return [line(rows[0]), `|${widths.map((width) => "-".repeat(width + 2)).join("|")}|`, ...rows.slice(1).map(line)].join("\n");
}
