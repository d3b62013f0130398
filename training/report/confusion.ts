import { count, percent } from "../../core/text.ts";
import type { Metrics } from "../../inference/tally.ts";
import { type Html, html, tableOf, trusted } from "./html.ts";

/** Up to here a matrix is a table with its numbers; a larger one is a picture, and its largest entries are a table. */
const MOST_IN_TABLE = 20;
/** Columns are headed by names up to here, else by numbers. */
const MOST_NAMED = 4;
const MOST_PAIRS = 20;

type Matrix = Pick<Metrics, "perClass" | "confusion">;

const sum = (row: readonly number[]): number => row.reduce((a, b) => a + b, 0);

/** What is taken for what. */
export function confusionSection({ perClass, confusion }: Matrix): Html {
  const labels = perClass.map(({ label }) => label);
  const small = labels.length <= MOST_IN_TABLE;
  const legend = small
    ? "A row for each true class, a column for each answer; numbers of images, the stronger the colour the larger the share of its row."
    : `A row for each of the ${labels.length} true classes, a column for each answer, numbered as in the table of classes. The diagonal is right; the stronger the colour, the larger the share of its row.`;
  return html`${small ? matrixTable(labels, confusion) : matrixPicture(labels.length, confusion)}
<p class="note">${legend}</p>
${confusedPairs(labels, confusion)}`;
}

function matrixTable(labels: readonly string[], confusion: Matrix["confusion"]): Html {
  const named = labels.length <= MOST_NAMED;
  const cell = (n: number, total: number, right: boolean): Html =>
    n === 0
      ? html`<td class="number none">·</td>`
      : html`<td class="number ${right ? "hit" : "miss"}" style="--share:${(n / total).toFixed(3)}">${n}</td>`;
  return html`<div class="scroll" tabindex="0" role="region" aria-label="Confusion matrix"><table class="matrix">
<caption>Confusion matrix</caption>
<thead><tr><th scope="col">true class</th>${labels.map((label, k) => html`<th scope="col" class="number" title="${label}">${named ? label : k}</th>`)}</tr></thead>
<tbody>
${labels.map((label, truth) => {
  const row = confusion[truth];
  return html`<tr><th scope="row"><span class="index">${truth}</span> ${label}</th>${row.map((n, answer) => cell(n, sum(row), truth === answer))}</tr>\n`;
})}</tbody></table></div>`;
}

/** Shares from which a cell is drawn stronger, and how strongly. */
const LEVELS = [
  [0, 0.25],
  [0.05, 0.45],
  [0.2, 0.7],
  [0.5, 1],
] as const;
const SIDE = 600;
const MARGIN = 44;

/** One path for each strength: a picture of a thousand classes is as small as its filled cells are few. */
function matrixPicture(classes: number, confusion: Matrix["confusion"]): Html {
  const cell = Math.max(1, classes / 300); // in classes: a single image of a thousand classes is to be seen
  const paths = new Map<string, string>();
  confusion.forEach((row, truth) => {
    const total = sum(row);
    row.forEach((n, answer) => {
      if (n === 0) return;
      const level = LEVELS.findLastIndex(([from]) => n / total >= from);
      const key = `class="${truth === answer ? "hit" : "miss"}" opacity="${LEVELS[level][1]}"`;
      paths.set(key, `${paths.get(key) ?? ""}M${answer} ${truth}h${+cell.toFixed(2)}v${+cell.toFixed(2)}h-${+cell.toFixed(2)}z`);
    });
  });
  const scale = SIDE / classes;
  const step = [10, 50, 100, 500].find((each) => classes / each <= 12) ?? 1000;
  const ticks = Array.from({ length: Math.ceil(classes / step) }, (_, i) => i * step);
  const at = (k: number): string => (MARGIN + (k + 0.5) * scale).toFixed(1);
  const right = sum(confusion.map((row, k) => row[k]));
  const all = sum(confusion.map(sum));
  const description = `Confusion matrix of ${classes} classes: ${count(right)} of ${count(all)} images lie on the diagonal. The most frequent confusions follow as a table.`;
  return html`<figure class="matrix-picture"><svg viewBox="0 0 ${SIDE + MARGIN + 12} ${SIDE + MARGIN + 12}" role="img" aria-label="${description}" font-size="14">
<rect class="frame" x="${MARGIN}" y="${MARGIN}" width="${SIDE}" height="${SIDE}"/>
${ticks.map((k) => html`<text x="${at(k)}" y="${MARGIN - 8}" text-anchor="middle">${k}</text><text x="${MARGIN - 8}" y="${at(k)}" text-anchor="end" dominant-baseline="central">${k}</text>\n`)}<text x="${MARGIN + SIDE / 2}" y="14" text-anchor="middle">answer</text>
<text transform="translate(10 ${MARGIN + SIDE / 2}) rotate(-90)" text-anchor="middle">true class</text>
<g transform="translate(${MARGIN} ${MARGIN}) scale(${scale.toFixed(4)})">
${[...paths].map(([key, d]) => trusted(`<path ${key} d="${d}"/>\n`))}</g>
</svg></figure>`;
}

function confusedPairs(labels: readonly string[], confusion: Matrix["confusion"]): Html | undefined {
  const pairs = confusion.flatMap((row, truth) =>
    row.flatMap((n, answer) => (n === 0 || truth === answer ? [] : [{ n, truth, answer, share: n / sum(row) }])),
  );
  if (pairs.length === 0) return html`<p>No image was taken for another class.</p>`;
  const largest = pairs.sort((a, b) => b.n - a.n || b.share - a.share).slice(0, labels.length <= MOST_IN_TABLE ? 10 : MOST_PAIRS);
  return tableOf("Most frequent confusions", largest, [
    { heading: "true class", cell: ({ truth }) => html`<span class="index">${truth}</span> ${labels[truth]}` },
    { heading: "taken for", cell: ({ answer }) => html`<span class="index">${answer}</span> ${labels[answer]}` },
    { heading: "images", numeric: true, cell: ({ n }) => count(n) },
    { heading: "of the class", numeric: true, cell: ({ share }) => percent(share, 1) },
  ]);
}
