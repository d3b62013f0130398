import type { ProgressBar } from "../core/progress-bar.node.ts";
import { count, plural, remaining } from "../core/text.ts";
import type { PackProgress } from "../pipeline/pack.node.ts";
import type { EngineReport } from "./engines/choose.ts";
import type { FeatureProgress } from "./features/compute.node.ts";
import type { ComparingEvent } from "./near-duplicates.node.ts";
import { nearDuplicateLines } from "./near-duplicates.ts";
import type { PrepareEvent } from "./run-parts.node.ts";

/** What computes, and why; what it was found to compute. */
export function engineLines({ engine, device, runtime, why, refused, check }: EngineReport): string[] {
  return [
    `Engine ${engine} on ${device} (${runtime}): ${why}.`,
    ...refused.map(({ engine: other, device: where, reason }) => `  not ${other} on ${where}: ${reason}`),
    ...(check
      ? [
          `  a step of ${plural(check.images, "image")}: its loss within ${check.loss.toExponential(0)} of ${check.against}'s, each variable's change within ${check.variable.toExponential(0)}`,
        ]
      : []),
  ];
}

/** Shows what happens to a run's data before it begins. */
export function showPreparation(event: PrepareEvent | ComparingEvent, progress: ProgressBar): void {
  if (event.kind === "comparing") {
    progress.show(event.done, event.total, "looking for near-duplicates", "");
    return;
  }
  if (event.kind === "decoding") {
    progress.show(event.done, event.total, `decoding ${event.split}`, decodingFacts(event));
    return;
  }
  progress.clear();
  for (const line of event.kind === "near-duplicates" ? nearDuplicateLines(event) : leftOutLines(event)) process.stderr.write(`${line}\n`);
}

/** How far the features of a split are. */
export const showFeatures = ({ split, done, total, imagesPerSecond }: FeatureProgress, progress: ProgressBar): void =>
  progress.show(
    done,
    total,
    `features of ${split}`,
    `${count(imagesPerSecond)} views/s  ${remaining((total - done) / imagesPerSecond)} left`,
  );

const decodingFacts = ({ done, total, imagesPerSecond }: PackProgress): string =>
  imagesPerSecond > 0 ? `${count(imagesPerSecond)} img/s  ${remaining((total - done) / imagesPerSecond)} left` : "";

const MOST_NAMED = 10;

/** What a split is without. */
function leftOutLines(event: Extract<PrepareEvent, { kind: "note" | "left out" }>): readonly string[] {
  if (event.kind === "note") return [`${event.split}: ${event.note}`];
  const { split, unreadable, images } = event;
  const more = unreadable.length - MOST_NAMED;
  return [
    `${split}: ${count(unreadable.length)} of ${plural(images, "picture")} cannot be read and are left out:`,
    ...unreadable.slice(0, MOST_NAMED).map(({ message }) => `  ${message}`),
    ...(more > 0 ? [`  … and ${count(more)} more; --json names all`] : []),
  ];
}
