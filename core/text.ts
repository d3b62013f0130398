// How numbers and tables read, for people.

/** 62058 → "62,058" */
export const count = (value: number): string => Math.round(value).toLocaleString("en-US");

/** 0.9183 → "91.83 %"; nothing known → "–" */
export const percent = (share: number | undefined, digits = 2): string =>
  share === undefined ? "–" : `${(100 * share).toFixed(digits)} %`;

/** Three digits, in nine characters at most: 0.000383, 0.0000171, 1.71e-6 */
export const learningRate = (rate: number): string => (rate > 0 && rate < 1e-5 ? rate.toExponential(2) : rate.toPrecision(3));

/** 251900 → "252 kB", in powers of ten. */
export function bytes(size: number): string {
  const [value, unit] = size < 1e3 ? [size, "B"] : size < 1e6 ? [size / 1e3, "kB"] : size < 1e9 ? [size / 1e6, "MB"] : [size / 1e9, "GB"];
  return `${value < 10 && unit !== "B" ? value.toFixed(1) : value.toFixed(0)} ${unit}`;
}

/** 8.25 → "8.3 s" · 72 → "1 min 12 s" · 7380 → "2 h 3 min" */
export function duration(seconds: number): string {
  if (seconds < 10) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  const minutes = Math.floor(whole / 60);
  return minutes < 60 ? `${minutes} min ${whole % 60} s` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

/** The same for a time that is only guessed: in whole seconds. */
export const remaining = (seconds: number): string => (seconds < 10 ? `${Math.round(seconds)} s` : duration(seconds));

/** A thing and how many there are: "1 image", "2 images", "3 classes". */
export const plural = (number: number, noun: string, nouns = `${noun}s`): string => `${count(number)} ${number === 1 ? noun : nouns}`;

/** A word for a shell, quoted where it needs to be. */
export const shellWord = (text: string): string => (/^[\w./:@%+=,-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`);

/** A text of exactly this width, on its side of it; a longer one stays as it is. */
export const pad = (text: string, width: number, side: "left" | "right"): string =>
  side === "left" ? text.padEnd(width) : text.padStart(width);

/** Without the characters that a terminal obeys, line ends but for: names come from files of others. */
export const printable = (text: string): string => text.replace(/(?!\n)\p{Cc}/gu, "\ufffd");

/**
 * A line as several of at most this many columns, broken between words; what follows the first is indented further. A word that is longer stays whole.
 * @param columns of a terminal; none where the text goes elsewhere
 */
export function wrap(line: string, columns: number | undefined): string {
  if (!columns || line.length <= columns) return line;
  const indent = (/^ */.exec(line) as RegExpExecArray)[0];
  const rows: string[] = [];
  let row = "";
  for (const [word, gap] of Array.from(line.slice(indent.length).matchAll(/( *)([^ ]+)/g), ([, spaces, text]) => [text, spaces] as const)) {
    const start = rows.length === 0 ? indent : `${indent}    `;
    if (row !== "" && row.length + gap.length + word.length > columns) {
      rows.push(row);
      row = `${indent}    ${word}`;
    } else row = row === "" ? start + word : row + gap + word;
  }
  return [...rows, row].join("\n");
}

export interface TableOptions {
  /** For each column, the side its texts are on: "l" or "r". The last letter stands for all further columns. */
  readonly align: string;
  /** Spaces between two columns. */
  readonly gap?: number;
  /** Spaces before the first column. */
  readonly indent?: number;
}

/** Rows of texts as lines of aligned columns. */
export function table(rows: readonly (readonly string[])[], { align, gap = 3, indent = 0 }: TableOptions): string[] {
  const columns = Math.max(...rows.map((row) => row.length));
  const widths = Array.from({ length: columns }, (_, i) => Math.max(...rows.map((row) => (row[i] ?? "").length)));
  const side = (i: number) => ((align[i] ?? align.at(-1)) === "r" ? "right" : "left");
  const line = (row: readonly string[]) => row.map((cell, i) => pad(cell, widths[i], side(i))).join(" ".repeat(gap));
  return rows.map((row) => `${" ".repeat(indent)}${line(row)}`.trimEnd());
}
