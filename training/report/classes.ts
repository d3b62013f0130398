import { count, percent } from "../../core/text.ts";
import type { Metrics } from "../../inference/tally.ts";
import { folded, type Html, html, tableOf } from "./html.ts";

/** Up to here all classes are shown at once; of more, the worst, and all behind a fold. */
const MOST_SHOWN = 30;
const WORST = 20;

interface ClassRow {
  readonly index: number;
  readonly label: string;
  readonly images: number;
  readonly accuracy: number | undefined;
  readonly interval: readonly [low: number, high: number] | undefined;
  /** What its wrong answers most often are. */
  readonly takenFor: string | undefined;
}

function toRows({ perClass, confusion }: Pick<Metrics, "perClass" | "confusion">): ClassRow[] {
  return perClass.map((each, index) => {
    const wrong = confusion[index].map((n, k) => (k === index ? 0 : n));
    const most = Math.max(...wrong);
    return { ...each, index, takenFor: most > 0 ? perClass[wrong.indexOf(most)].label : undefined };
  });
}

const accuracyCell = ({ accuracy }: ClassRow): Html | string =>
  accuracy === undefined
    ? "–"
    : html`<span class="meter" aria-hidden="true"><span style="width:${(100 * accuracy).toFixed(1)}%"></span></span> ${percent(accuracy, 1)}`;

const intervalCell = ({ interval }: ClassRow): string =>
  interval ? `${(100 * interval[0]).toFixed(0)} to ${(100 * interval[1]).toFixed(0)} %` : "–";

const classTable = (caption: string, rows: readonly ClassRow[]): Html =>
  tableOf(caption, rows, [
    { heading: "class", cell: ({ index, label }) => html`<span class="index">${index}</span> ${label}` },
    { heading: "accuracy", numeric: true, cell: accuracyCell },
    { heading: "95 % interval", numeric: true, cell: intervalCell },
    { heading: "images", numeric: true, cell: ({ images }) => count(images) },
    { heading: "most often taken for", cell: ({ takenFor }) => takenFor ?? "–" },
  ]);

/** The accuracy of each class, the worst first. */
export function classesSection(metrics: Pick<Metrics, "perClass" | "confusion">): Html {
  const rows = toRows(metrics);
  const seen = rows.filter(({ accuracy }) => accuracy !== undefined);
  const worst = seen.sort((a, b) => a.accuracy! - b.accuracy! || a.index - b.index);
  const unseen = rows.length - seen.length;
  const note = unseen > 0 && html`<p class="note">${count(unseen)} of ${count(rows.length)} classes have no image in this split.</p>`;
  if (rows.length <= MOST_SHOWN) return html`${classTable("Classes, the worst first", worst)}${note}`;
  const perfect = seen.filter(({ accuracy }) => accuracy === 1).length;
  return html`<p>Of ${count(seen.length)} classes, half have an accuracy of at least ${percent(worst[worst.length >> 1]?.accuracy, 1)}; ${count(perfect)} are always right.</p>
${classTable(`The ${Math.min(WORST, worst.length)} worst classes`, worst.slice(0, WORST))}${note}
${folded(`All ${count(rows.length)} classes in their order`, classTable("All classes", rows))}`;
}
