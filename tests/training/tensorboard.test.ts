import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { FitEvent } from "../../training/fit.ts";
import { crc32c } from "../../training/tensorboard/crc32c.ts";
import { createEventFile } from "../../training/tensorboard/event-file.node.ts";
import { eventRecord } from "../../training/tensorboard/event-record.ts";
import { temporaryFolder } from "../cli/run.ts";
import { hasPeers, runPython } from "../export/peers.ts";
import { readEvents, slowCrc32c } from "./tensorboard-reader.ts";

const stepEvent = (step: number): FitEvent => ({
  kind: "step",
  epoch: 1,
  batch: step,
  batches: 4,
  step,
  done: step / 4,
  loss: 1 / step,
  accuracy: 0.25 * step,
  runningLoss: 1,
  runningAccuracy: 0.5,
  learningRate: 0.01,
  images: 32,
  seconds: 0.5,
});
const record = (step: number, epoch: number) => ({
  epoch,
  step,
  trainingLoss: 1,
  trainingAccuracy: 0.5,
  validationLoss: 0.125 * step,
  validationAccuracy: 0.75,
  learningRate: 0.01,
  seconds: 1,
});
const start = (step: number): FitEvent => ({ kind: "start", epochs: 1, steps: 4, step, done: step / 4 });

/** A run of four steps, logged every second one. */
const RUN: readonly FitEvent[] = [
  start(0),
  stepEvent(1),
  stepEvent(2),
  { kind: "log", record: record(2, 0.5), logs: [] },
  stepEvent(3),
  stepEvent(4),
  { kind: "log", record: record(4, 1), logs: [] },
  { kind: "epoch", record: record(4, 1), isBest: true, history: [] },
];

async function written(directory: string, events: readonly FitEvent[]): Promise<void> {
  const file = await createEventFile(directory);
  for (const event of events) await file.write(event);
  await file.close();
}

const TRAINING = ["accuracy/training", "images-per-second", "learning-rate", "loss/training"];
const VALIDATION = ["accuracy/validation", "loss/validation"];

describe("TensorBoard's event files", () => {
  test("CRC-32C gives RFC 3720's test vectors", () => {
    const vectors: readonly (readonly [Uint8Array, number])[] = [
      [new Uint8Array(32), 0x8a9136aa],
      [new Uint8Array(32).fill(0xff), 0x62a8ab43],
      [Uint8Array.from({ length: 32 }, (_, i) => i), 0x46dd794e],
      [Uint8Array.from({ length: 32 }, (_, i) => 31 - i), 0x113fdb5c],
      [new TextEncoder().encode("123456789"), 0xe3069283],
    ];
    for (const [bytes, crc] of vectors) expect([crc32c(bytes), slowCrc32c(bytes)]).toEqual([crc, crc]);
  });

  test("a reader written from the specification sees every scalar at its step", async () => {
    const directory = join(await temporaryFolder(), "tensorboard");
    const before = Date.now() / 1e3;
    await written(directory, RUN);
    const [name, ...others] = await readdir(directory);
    expect(others).toEqual([]);
    expect(name).toMatch(/^events\.out\.tfevents\.\d{10}\./);
    const { events, rest } = readEvents(await readFile(join(directory, name)));
    expect(rest).toBe(0);
    expect(events[0]).toMatchObject({ fileVersion: "brain.Event:2", step: 0 });
    expect(events[1]).toMatchObject({ step: 1, sessionStatus: 1 });
    expect(events.slice(2).map(({ step, scalars }) => [step, Object.keys(scalars).sort()])).toEqual([
      [1, TRAINING],
      [2, TRAINING],
      [2, VALIDATION],
      [3, TRAINING],
      [4, TRAINING],
      [4, VALIDATION],
    ]);
    expect(events[3].scalars).toEqual({
      "loss/training": 0.5,
      "accuracy/training": 0.5,
      "learning-rate": Math.fround(0.01),
      "images-per-second": 64,
    });
    expect(events.at(-1)!.scalars).toEqual({ "loss/validation": 0.5, "accuracy/validation": 0.75 });
    for (const { wallTime } of events) expect(wallTime).toBeGreaterThanOrEqual(before);
  });

  test("a large step and a long name survive, and a record that was cut off is left out", () => {
    const long = { wallTime: 1.5e9, step: 2 ** 40 + 3, scalars: { [`${"ä".repeat(90)}`]: -1e-30 } };
    const bytes = Buffer.concat([eventRecord(long), eventRecord(long).subarray(0, 40)]);
    const { events, rest } = readEvents(bytes);
    expect(events).toEqual([{ wallTime: 1.5e9, step: 2 ** 40 + 3, scalars: { ["ä".repeat(90)]: Math.fround(-1e-30) } }]);
    expect(rest).toBe(40);
  });

  test("a folder that cannot be made is named", async () => {
    const folder = await temporaryFolder();
    await writeFile(join(folder, "tensorboard"), "");
    await expect(createEventFile(join(folder, "tensorboard"))).rejects.toThrow(/cannot write .*tfevents.*is a file.*without --tensorboard/);
  });
});

const READ = `
import json, sys
try:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
except ImportError:
    print("null"); sys.exit()
events = EventAccumulator(sys.argv[1], size_guidance={"scalars": 0})
events.Reload()
print(json.dumps({tag: [[e.step, e.value] for e in events.Scalars(tag)] for tag in events.Tags()["scalars"]}))
`;

test("TensorBoard itself reads them, and forgets what a killed run wrote beyond the step that it is resumed from", async (context) => {
  if (!hasPeers) {
    console.log("skipped: TensorBoard's own reader (set PEERS to the folder with venv/bin/python)");
    return context.skip();
  }
  const directory = join(await temporaryFolder(), "tensorboard");
  await written(directory, [start(0), stepEvent(1), stepEvent(2), { ...stepEvent(3), loss: 99 } as FitEvent]);
  await new Promise((resolve) => setTimeout(resolve, 5)); // another millisecond, another name
  await written(directory, [start(2), ...RUN.slice(4)]);
  const read: Record<string, [number, number][]> | null = JSON.parse(runPython(READ, directory));
  if (!read) {
    console.log("skipped: TensorBoard's own reader (install tensorboard in PEERS' venv)");
    return context.skip();
  }
  expect(Object.keys(read).sort()).toEqual([...TRAINING, ...VALIDATION].sort());
  expect(read["loss/training"]).toEqual([1, 2, 3, 4].map((step) => [step, Math.fround(1 / step)]));
  expect(read["loss/validation"]).toEqual([[4, 0.5]]);
});
