import { count } from "../../core/text.ts";
import { likenessOf, type NearDuplicates, nearDuplicatesText } from "../near-duplicates.ts";
import { type Html, html, tableOf } from "./html.ts";

/** What stands above the numbers where pictures that are measured on are known to the network. */
export const duplicatesWarning = (found: NearDuplicates): Html | undefined =>
  found.count > 0
    ? html`<p class="warning">${nearDuplicatesText(found)}: accuracy on them says too much. <a href="#duplicates">Which</a></p>`
    : undefined;

/** Pictures that are in several splits. */
export function duplicatesSection(found: NearDuplicates): Html {
  const compared = Object.entries(found.compared).map(([split, images]) => `${count(images)} of ${split}`);
  const how = html`<p class="note">Compared before the training: ${compared.join(", ")}. Alike are pictures whose 64-bit difference hashes differ in at most 5 bits and that, shrunk to 9 × 8 cells, differ by at most 6 levels of 255 in the mean; copies that were cut by more than a few percent, turned, mirrored or recoloured are not found. Nothing was removed.</p>`;
  if (found.count === 0) return html`<p>No picture looks like one of another split.</p>${how}`;
  return html`<p>${nearDuplicatesText(found)}. Paths are in <code>${found.folder}</code>.</p>
${tableOf(found.count > found.pairs.length ? `The nearest ${found.pairs.length} of ${count(found.count)}` : "All of them", found.pairs, [
  { heading: "measured on", cell: ({ split, file }) => `${split}: ${file}` },
  { heading: "looks like", cell: ({ twinSplit, twin }) => `${twinSplit}: ${twin}` },
  { heading: "likeness", cell: likenessOf },
])}
${how}`;
}
