// Whole epochs, data and validation included, beside the bare step, in turn in one run: npm run bench:epoch [-- NET… | --five]
// With --five the README's train command once, beside PyTorch's fashion-cnn step before and after it. Without either both are measured and written to
// bench/EPOCH.md. FIVECROP_DATA names the folder of fashion-mnist/ and cifar-10/; PEERS and PEER_SCRIPT are bench:train's. ROUNDS (epochs behind the
// first) and SECONDS (of the bare step between two) say how long it takes, THREADS how many threads each has.
import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { writeWhole } from "../dist/core/atomic-file.node.js";
import { createEngine, createLoader, createNetwork, dataRoot, datasetEntry, fit, openDataset, sgd, splitDataset } from "../dist/index.js";
import { bounded } from "../dist/pipeline/dataset.js";
import { machine } from "./machine.mjs";
import { markdown, middle, spread } from "./rounds.mjs";
import { startServer } from "./server.mjs";
import { BATCH } from "./step.mjs";

const { values: options, positionals } = parseArgs({ allowPositionals: true, options: { five: { type: "boolean", default: false } } });
const ROUNDS = Number(process.env.ROUNDS ?? 5);
const SECONDS = Number(process.env.SECONDS ?? 2);
const THREADS = process.env.THREADS ?? "2";
/** A tenth of the images is for validation, as `train` has it. */
const EPOCHS = {
  "fashion-cnn": { data: "fashion-mnist", images: 20_000 },
  "cifar-convnet": { data: "cifar-10", images: 3000 },
};
const FIVE =
  "train --model fashion-cnn --data fashion-mnist --epochs 5 --batch-size 60 --optimizer adam --lr 0.01 --schedule exponential:0.999/step --seed 0";
/** Of PyTorch's best step: so many, and so many times their time at most. */
const PEER_STEPS = 4000;
const AT_MOST = 1.6;

/** Epochs of real training, the bare step after each. The first epoch makes the sessions, and is not counted. */
async function measure(net) {
  const { data, images } = EPOCHS[net];
  const batchSize = BATCH[net];
  const { defaultPreprocess: preprocess } = await datasetEntry(data);
  const { training, validation } = splitDataset(
    bounded(await openDataset({ name: data, root: dataRoot(), split: "train" }), images),
    0.1,
    0,
  );
  const loaders = { training: createLoader(training), validation: createLoader(validation) };
  const engine = createEngine({ network: createNetwork(net), optimizer: sgd({ momentum: 0.9 }), threads: Number(THREADS) });
  const bare = startServer(process.execPath, [join(import.meta.dirname, "step.mjs"), "--serve"], { THREADS });
  const times = { bare: [], epoch: [] };
  try {
    await bare.ask(`build ${net}`);
    const events = fit(engine, loaders, { preprocess, epochs: ROUNDS + 1, batchSize, learningRate: 1e-3 });
    let start = performance.now();
    for await (const { kind, record } of events) {
      if (kind !== "epoch") continue;
      const ms = performance.now() - start;
      const step = (await bare.ask(`time ${SECONDS}`)).ms;
      if (record.epoch > 1) {
        times.epoch.push(ms);
        times.bare.push(step);
      }
      start = performance.now();
    }
  } finally {
    bare.quit();
    await Promise.all([engine.dispose(), loaders.training.dispose(), loaders.validation.dispose()]);
  }
  const steps = training.length / batchSize;
  return [
    `${net} (${batchSize}), ${data}`,
    `${training.length} + ${validation.length}`,
    spread(
      times.epoch.map((ms) => ms / 1e3),
      2,
    ),
    spread(times.bare, 1),
    spread(
      times.epoch.map((ms, i) => (100 * steps * times.bare[i]) / ms),
      1,
    ),
  ];
}

const HEAD = ["network (batch), data", "images + validation", "an epoch, s", "bare step, ms", "of the bare step's rate, %"];

async function epochs(names) {
  const rows = [HEAD];
  for (const net of names) {
    rows.push(await measure(net));
    console.log(`${net}: ${rows.at(-1).at(-1)} % of the bare step's rate`);
  }
  return markdown(rows);
}

/** @returns the peer with its step built, or why there is none */
async function startTorch() {
  const python = process.env.PEERS ? join(process.env.PEERS, "venv/bin/python") : "";
  const script = process.env.PEER_SCRIPT ?? join(import.meta.dirname, "../../shared/peers/train_torch.py");
  if (!existsSync(python) || !existsSync(script))
    return { reason: "set PEERS to a directory with venv/bin/python, and PEER_SCRIPT to its server" };
  const server = startServer(python, [script, "--serve"], { THREADS });
  try {
    await server.ask("build fashion-cnn");
    return { server };
  } catch (error) {
    server.quit();
    return { reason: error.message.trim().split("\n").at(-1) };
  }
}

/** The README's command, and a sentence on it. */
async function five() {
  const out = mkdtempSync(join(tmpdir(), "fivecrop-bench-"));
  const { server, reason } = await startTorch();
  try {
    const steps = [];
    const time = async () => {
      for (let i = 0; server && i < 3; i++) steps.push((await server.ask(`time ${SECONDS}`)).ms);
    };
    await time();
    const start = performance.now();
    execFileSync(process.execPath, [join(import.meta.dirname, "../dist/cli.js"), ...FIVE.split(" "), "--out", join(out, "run")], {
      stdio: ["ignore", "ignore", "inherit"],
    });
    const command = (performance.now() - start) / 1e3;
    await time();
    const [head, ...rows] = readFileSync(join(out, "run/history.csv"), "utf8")
      .trim()
      .split("\n")
      .map((line) => line.split(","));
    const seconds = rows.reduce((sum, row) => sum + Number(row[head.indexOf("seconds")]), 0);
    const ours = `five epochs of the train command take ${seconds.toFixed(1)} s, validation included (the whole command with export and report ${command.toFixed(1)} s)`;
    if (!server) return `${ours}. PyTorch is not measured: ${reason}.`;
    const theirs = (PEER_STEPS * middle(steps)) / 1e3;
    return `${ours}; PyTorch's best step ${spread(steps, 2)} ms, ${PEER_STEPS} of them ${theirs.toFixed(1)} s: ${(seconds / theirs).toFixed(2)} times that (at most ${AT_MOST}).`;
  } finally {
    server?.quit();
    rmSync(out, { recursive: true, force: true });
  }
}

const unknown = positionals.find((name) => !(name in EPOCHS));
if (unknown) throw new Error(`no such network here: ${unknown}. There are ${Object.keys(EPOCHS).join(", ")}.`);
const everything = !positionals.length && !options.five;
const table = everything || positionals.length ? await epochs(everything ? Object.keys(EPOCHS) : positionals) : undefined;
if (table) console.log(`\n${table}`);
const sentence = everything || options.five ? await five() : undefined;
if (sentence) console.log(`\n${sentence}`);
if (everything)
  await writeWhole(
    join(import.meta.dirname, "EPOCH.md"),
    `# Whole epochs

Written by \`npm run bench:epoch\`: ${ROUNDS} epochs behind a first one, the bare step (${SECONDS} s, in a process of its own) after each, medians with the least and the most. An
epoch is its data, its steps and its validation; its rate counts the images that it trains on, so that validation takes from it.

${THREADS} threads each. ${machine()}

${table}

With \`fivecrop ${FIVE}\`, ${sentence}
`,
  );
