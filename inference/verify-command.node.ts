import type { Command } from "commander";
import { createCommand, EXIT, print, printError } from "../core/command-line.node.ts";
import { FivecropError, messageOf, UsageError } from "../core/errors.ts";
import { listenForInterrupt } from "../core/interrupt.node.ts";
import type { Device } from "../core/session.ts";
import { printable } from "../core/text.ts";
import { describeDivergence, samplesOf, type Verification } from "./verify-samples.ts";

interface VerifyCommandOptions {
  readonly device?: string;
  readonly browser?: true;
  readonly json?: true;
}

/** Without --browser and with it: what --device may name, and what is replayed on where it is left out. */
const DEVICES = {
  node: { known: ["cpu", "webgpu", "cuda"], default: ["cpu"] },
  browser: { known: ["cpu", "wasm", "webgpu"], default: ["wasm"] },
} as const satisfies Record<string, { readonly known: readonly Device[]; readonly default: readonly Device[] }>;

/** `verify`: whether a model's file still answers as it did when it was written. */
export function verifyCommand(): Command {
  return createCommand(
    "verify",
    "Replay the golden samples that a model carries. The exit code is 1 where a device disagrees or is missing, and the first stage that diverges is named.",
    [
      "fivecrop verify runs/fashion/model.onnx",
      "fivecrop verify runs/fashion/model.onnx --device cpu,webgpu",
      "fivecrop verify runs/fashion/model.onnx --browser --device wasm,webgpu --json",
    ],
  )
    .argument("<model>", "an ONNX classifier that fivecrop exported")
    .option(
      "--device <names>",
      "where to run it: cpu, webgpu, cuda (default: cpu); with --browser wasm and webgpu are the browser's (default: wasm)",
    )
    .option("--browser", "replay in an installed Chrome or Chromium; CHROME names another, CHROME_FLAGS its options")
    .action(verify);
}

function devicesOf(text: string | undefined, where: keyof typeof DEVICES): readonly Device[] {
  const { known, default: usual } = DEVICES[where];
  if (text === undefined) return usual;
  const names = [...new Set(text.split(",").map((name) => name.trim()))];
  const unknown = names.find((name) => !(known as readonly string[]).includes(name));
  if (unknown === undefined) return names as readonly Device[];
  const hint = unknown === "wasm" ? " wasm is a browser's: add --browser." : "";
  throw new UsageError(`--device: expected ${known.join(", ")}, several with commas between them, received '${unknown}'.${hint}`);
}

/** What a device answered, or why it did not. */
type Result = { readonly device: Device; readonly browser?: string } & (
  | { readonly verification: Verification }
  | { readonly error: string }
);

async function verify(model: string, { device, browser = undefined, json = undefined }: VerifyCommandOptions): Promise<void> {
  const devices = devicesOf(device, browser ? "browser" : "node");
  const interrupt = listenForInterrupt(() => undefined);
  try {
    for await (const result of results(model, devices, browser === true, interrupt.signal)) {
      const { verification, error, ...on } = { verification: undefined, error: undefined, ...result };
      if (json) print(JSON.stringify({ model, ...on, ...(verification ?? { error }) }));
      else if (verification) for (const line of verificationLines(model, on, verification)) print(line);
      if (error !== undefined) printError(`fivecrop: ${placeOf(on)}: ${printable(error)}`);
      if (!verification || verification.divergence) process.exitCode = EXIT.failed;
    }
  } catch (error) {
    if (error !== interrupt.signal.reason) throw error;
  } finally {
    interrupt.dispose();
  }
  if (interrupt.signal.aborted) process.exitCode = interrupt.exitCode();
}

/** One after the other: a device that is missing does not keep the others from their turn. */
async function* results(file: string, devices: readonly Device[], browser: boolean, signal: AbortSignal): AsyncGenerator<Result> {
  const [{ readModel }, { refuseSelfContainedOn, verifyModel }] = await Promise.all([
    import("../core/read-file.node.ts"),
    import("./golden-samples.node.ts"),
  ]);
  const model = await readModel(file);
  samplesOf(model, file);
  const inPage: Device[] = [];
  for (const device of devices) {
    try {
      refuseSelfContainedOn(device, model, file);
      if (browser && device !== "cpu") inPage.push(device);
      else yield { device, verification: await verifyModel(model, { device, name: file }) };
    } catch (error) {
      if (device === "cpu" || !(error instanceof FivecropError)) throw error;
      yield { device, error: messageOf(error) };
    }
    if (signal.aborted) throw signal.reason;
  }
  if (inPage.length > 0) yield* (await import("./verify-browser.node.ts")).verifyInBrowser(model, { devices: inPage, name: file, signal });
}

const placeOf = ({ device, browser }: { readonly device: Device; readonly browser?: string }): string =>
  browser === undefined ? device : `${device} in ${browser}`;

function verificationLines(
  model: string,
  on: Parameters<typeof placeOf>[0],
  { samples, views, largestDifference, divergence }: Verification,
): string[] {
  return [
    `${model}: ${samples} golden samples, ${views}, on ${placeOf(on)}`,
    `  largest difference of a probability: ${largestDifference === 0 ? "0" : largestDifference.toExponential(1)}`,
    divergence ? `  first stage that diverges: ${describeDivergence(divergence, views)}` : "  every stage agrees",
  ];
}
