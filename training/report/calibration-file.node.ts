import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { writeWhole } from "../../core/atomic-file.node.ts";
import { FivecropError } from "../../core/errors.ts";
import { fileReason } from "../../core/file-error.ts";
import { readModel } from "../../core/read-file.node.ts";
import { metadataOf } from "../../inference/model-contract.ts";
import { RUN_FILES } from "../run-files.node.ts";

/** What `calibrate` found for a run. */
export interface RunCalibration {
  readonly temperature: number;
  /** The epoch, from 1, whose weights it is of. */
  readonly epoch: number;
  /** What it was fitted on, as many images, each by these views. */
  readonly split: string;
  readonly images: number;
  readonly views: string;
  /** On those images, with temperature 1 and with this one. */
  readonly before: CalibrationQuality;
  readonly after: CalibrationQuality;
}

export interface CalibrationQuality {
  /** The mean of −ln p(class). */
  readonly loss: number;
  readonly expectedCalibrationError: number;
}

export const writeCalibration = (run: string, calibration: RunCalibration): Promise<void> =>
  writeWhole(join(run, RUN_FILES.calibration), `${JSON.stringify(calibration, null, 2)}\n`);

/**
 * The calibration of a run's weights after an epoch; `undefined` where there is none, or it is of another epoch: then it says nothing of these.
 * @throws FivecropError where its file is damaged.
 */
export async function readCalibration(run: string, epoch: number): Promise<RunCalibration | undefined> {
  const file = join(run, RUN_FILES.calibration);
  let found: RunCalibration | undefined;
  try {
    found = JSON.parse(await readFile(file, "utf8"));
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw new FivecropError(`${file} cannot be read: ${fileReason(cause)}. To fix: calibrate the run again, or remove the file.`, {
      cause,
    });
  }
  if (!(found && found.temperature > 0 && Number.isFinite(found.temperature)))
    throw new FivecropError(
      `${file}: expected a "temperature" above 0, found ${JSON.stringify(found?.temperature)}. To fix: calibrate the run again, or remove the file.`,
    );
  return found.epoch === epoch ? found : undefined;
}

/**
 * What the answers of a run's weights after an epoch are divided by: as its exported file says, where that is of this epoch (a kill between the two files
 * leaves them of different calibrations), else as `calibration.json` does, else 1.
 * @throws FivecropError where one of them is damaged.
 */
export async function temperatureOf(run: string, epoch: number): Promise<number> {
  const file = join(run, RUN_FILES.model);
  const exported = existsSync(file) ? metadataOf(await readModel(file), file) : undefined;
  if (exported?.training?.bestEpoch === epoch) return exported.temperature ?? 1;
  return (await readCalibration(run, epoch))?.temperature ?? 1;
}
