import type { ProgressBar } from "../../core/progress-bar.node.ts";
import { bytes, count, duration, percent, plural, remaining, table } from "../../core/text.ts";
import type { CalibrateEvent } from "./calibrate-run.node.ts";
import { imagesText } from "./measure.ts";
import type { ReportEvent } from "./report-run.node.ts";

/** How far a report's measuring is. */
export function showMeasuring(
  progress: ProgressBar,
  { split, done, total, imagesPerSecond }: Extract<ReportEvent, { kind: "measuring" }>,
): void {
  const left = remaining((total - done) / imagesPerSecond);
  progress.show(done, total, `measure: ${split}`, `${count(imagesPerSecond)} img/s  ${left} left`);
}

/** What a report was found to say. */
export function reportedLines({ file, bytes: size, note, ...found }: Extract<ReportEvent, { kind: "reported" }>): string[] {
  const { split, images, of, unreadable, top1, top1Interval, expectedCalibrationError, seconds } = found;
  const [low, high] = top1Interval.map((share) => percent(share, 1));
  return [
    `${file}: ${bytes(size)}`,
    `  ${split}: ${percent(top1)} of ${imagesText(images, of, unreadable)} (95 %: ${low} to ${high}), calibration error ${percent(expectedCalibrationError)}, in ${duration(seconds)}`,
    ...(note === undefined ? [] : [`  ${note}`]),
  ];
}

/** What a calibration found. */
export function calibratedLines({ file, ...found }: Extract<CalibrateEvent, { kind: "calibrated" }>): string[] {
  const { temperature, split, images, views, before, after } = found;
  const confidence = temperature > 1 ? "its answers were too sure" : "its answers were not sure enough";
  const row = (name: string, { loss, expectedCalibrationError }: typeof before): string[] => [
    name,
    loss.toFixed(4),
    percent(expectedCalibrationError),
  ];
  return [
    `${file}: temperature ${temperature.toFixed(4)}, ${confidence}`,
    ...table(
      [
        [`${split}, ${plural(images, "image")}, ${views === "none" ? "one view" : views}`, "loss", "ECE"],
        row("before", before),
        row("after", after),
      ],
      { align: "lr", indent: 2 },
    ),
  ];
}
