import type { ProgressBar } from "../../core/progress-bar.node.ts";
import { bytes, count, duration, percent, plural, remaining } from "../../core/text.ts";
import type { ReportEvent } from "./report-run.node.ts";

/** How far a report's measuring is. */
export function showMeasuring(
  progress: ProgressBar,
  { split, done, total, imagesPerSecond }: Extract<ReportEvent, { kind: "measuring" }>,
): void {
  const left = remaining((total - done) / imagesPerSecond);
  progress.show(done, total, `report: ${split}`, `${count(imagesPerSecond)} img/s  ${left} left`);
}

/** What a report was found to say. */
export function reportedLines({ file, bytes: size, note, ...found }: Extract<ReportEvent, { kind: "reported" }>): string[] {
  const { split, images, of, top1, top1Interval, expectedCalibrationError, seconds } = found;
  const [low, high] = top1Interval.map((share) => percent(share, 1));
  const drawn = images < of ? `, drawn from ${count(of)}` : "";
  return [
    `${file}: ${bytes(size)}`,
    `  ${split}: ${percent(top1)} of ${plural(images, "image")}${drawn} (95 %: ${low} to ${high}), calibration error ${percent(expectedCalibrationError)}, in ${duration(seconds)}`,
    ...(note === undefined ? [] : [`  ${note}`]),
  ];
}
