// Training steps beside PyTorch's and tfjs-node's, interleaved in one run: npm run bench:train [-- NET…] [--json] [--memory]
// PEERS names the directory that holds venv/bin/python and tfjs/, PEER_SCRIPT the server that builds and times PyTorch's variants. ROUNDS and SECONDS (of
// a round) say how long it takes, THREADS how many threads each has. Without NET the whole table is measured, and at its end written to bench/RESULTS.md.
import { execFileSync } from "node:child_process";
import { existsSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { machine } from "./machine.mjs";
import { markdown, middle, spread } from "./rounds.mjs";
import { startServer } from "./server.mjs";
import { BATCH } from "./step.mjs";

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: { json: { type: "boolean", default: false }, memory: { type: "boolean", default: false } },
});
const ROUNDS = Number(process.env.ROUNDS ?? 9);
const SECONDS = Number(process.env.SECONDS ?? 1); // short rounds in turn: a shared machine's speed drifts, and all must see the same of it
const THREADS = process.env.THREADS ?? "2";
const OURS = join(import.meta.dirname, "step.mjs");
const inPeers = (path) => (process.env.PEERS ? join(process.env.PEERS, path) : "");
const TORCH = {
  python: inPeers("venv/bin/python"),
  script: process.env.PEER_SCRIPT ?? join(import.meta.dirname, "../../shared/peers/train_torch.py"),
};
const TFJS = inPeers("tfjs/train_tfjs.cjs");
const TFJS_NETS = ["fashion-cnn", "minivgg", "minivgg-bn"];
const hasTorch = existsSync(TORCH.python) && existsSync(TORCH.script);
const hasTfjs = existsSync(TFJS);
const FIRST_STEPS = 3;
const note = (line) => (options.json ? console.error(line) : console.log(line));
/** What is not in the table, and why: it is said, and stands below the table. */
const absent = [];
const missing = (line) => {
  absent.push(line);
  note(line);
};
if (!hasTorch) missing("PyTorch is not measured: set PEERS to a directory with venv/bin/python, and PEER_SCRIPT to its server.");
if (!hasTfjs) missing("tfjs-node is not measured: set PEERS to a directory with tfjs/train_tfjs.cjs beside its node_modules.");

const processOf = (command, args) =>
  JSON.parse(execFileSync(command, args, { encoding: "utf8", env: { ...process.env, THREADS }, stdio: ["ignore", "pipe", "inherit"] }));

/** A peer's server that is stopped, and said to be, where it fails: its column then has what was measured until there. */
function startPeer(net, name, command, args, env) {
  let server = startServer(command, args, env);
  const quit = () => {
    server?.quit();
    server = undefined;
  };
  const ask = async (question) => {
    if (!server) return undefined;
    try {
      return await server.ask(question);
    } catch (error) {
      missing(`${net}: ${name} failed at '${question}': ${error.message.trim().split("\n").at(-1)}`);
      quit();
      return undefined;
    }
  };
  return { ask, quit };
}

const ABSENT = { ask: async () => undefined, quit: () => undefined };

/** One network, each contestant in a fresh process of its own. */
async function measure(net) {
  const ours = startServer(process.execPath, [OURS, "--serve"], { THREADS });
  const torch = hasTorch ? startPeer(net, "PyTorch", TORCH.python, [TORCH.script, "--serve"], { THREADS }) : ABSENT;
  const tfjs =
    hasTfjs && TFJS_NETS.includes(net)
      ? startPeer(net, "tfjs-node", process.execPath, [TFJS, "--serve"], { OMP_NUM_THREADS: THREADS })
      : ABSENT;
  try {
    const { batch, gflop, forward_gflop } = await ours.ask(`build ${net}`);
    const { fastest } = (await torch.ask(`build ${net}`)) ?? {};
    await tfjs.ask(`build ${net}`);
    const times = { ours: [], torch: [], tfjs: [], forward: [], torchForward: [], peak: [], first: [] };
    const time = async (server, question, list) => {
      const answer = await server.ask(question);
      if (answer) list.push(answer.ms);
    };
    for (let round = 0; round < ROUNDS; round++) {
      times.peak.push((await ours.ask(`peak ${SECONDS / 4}`)).gflops);
      await time(ours, `time ${SECONDS}`, times.ours);
      await time(torch, `time ${SECONDS}`, times.torch);
      await time(tfjs, `time ${SECONDS}`, times.tfjs);
      await time(ours, `forward ${SECONDS / 2}`, times.forward);
      await time(torch, `forward ${SECONDS / 2}`, times.torchForward);
    }
    for (const server of [ours, torch, tfjs]) server.quit();
    for (let i = 0; i < FIRST_STEPS; i++) times.first.push(processOf(process.execPath, [OURS, "--first", net]).first_step_s);
    const variant = fastest && `${fastest.layout}${fastest.compiled ? ", compiled" : ""}`;
    const compiled = fastest?.compiled ? ["compiled"] : [];
    const memory = options.memory && {
      ours: processOf(process.execPath, [OURS, "--memory", net]).peak_rss_mb,
      torch: fastest && processOf(TORCH.python, [TORCH.script, "--memory", net, fastest.layout, ...compiled]).peak_rss_mb,
    };
    return { net, batch, gflop, forward_gflop, variant, times, memory, peak: Math.max(...times.peak) };
  } finally {
    for (const server of [ours, torch, tfjs]) server.quit();
  }
}

const ratios = (theirs, ours) => theirs.map((ms, i) => ms / ours[i]);
const HEAD = [
  "network (batch)",
  "ours, ms",
  "PyTorch, ms",
  "its variant",
  "ratio",
  "ratio to tfjs-node",
  "GFLOP",
  "GFLOP/s",
  "of the peak",
  "forward: ratio",
  "first step, s",
  "peak memory, MB (PyTorch's)",
];

function row({ net, batch, gflop, variant = "–", times, memory, peak }) {
  const rate = gflop / (middle(times.ours) / 1e3);
  return [
    `${net} (${batch})`,
    spread(times.ours, 1),
    spread(times.torch, 1),
    variant,
    spread(ratios(times.torch, times.ours), 2),
    spread(ratios(times.tfjs, times.ours), 2),
    gflop.toFixed(2),
    rate.toFixed(0),
    `${((100 * rate) / peak).toFixed(0)} % of ${peak.toFixed(0)}`,
    spread(ratios(times.torchForward, times.forward), 2),
    spread(times.first, 1),
    memory ? `${memory.ours.toFixed(0)} (${memory.torch ? memory.torch.toFixed(0) : "–"})` : "–",
  ];
}

const toJson = ({ net, batch, gflop, variant, times, memory, peak }) => ({
  net,
  batch,
  ours_ms: middle(times.ours),
  torch_ms: middle(times.torch),
  torch_variant: variant,
  tfjs_ms: middle(times.tfjs),
  gflop,
  peak_gflops: peak,
  ours_forward_ms: middle(times.forward),
  torch_forward_ms: middle(times.torchForward),
  first_step_s: middle(times.first),
  ...(memory && { ours_peak_mb: memory.ours, torch_peak_mb: memory.torch || undefined }),
});

const names = positionals.length ? positionals : Object.keys(BATCH);
const unknown = names.find((name) => !(name in BATCH));
if (unknown) throw new Error(`no such network here: ${unknown}. There are ${Object.keys(BATCH).join(", ")}.`);
const measured = [];
const table = () => markdown([HEAD, ...measured.map(row)]);
const results = () => `# Training steps

Written by \`npm run bench:train\`: one run, ${ROUNDS} rounds of ${SECONDS} s in turn, medians with the least and the most. A ratio above 1 says that ours is faster.
GFLOP counts convolutions and linear layers, two for each multiply-add; the peak is the best round of a 2048³ product in ONNX Runtime, with the same threads.
"Forward" is the exported graph on a batch of 128 beside PyTorch's fastest layout. "First step": from the start of a fresh process to the end of its
first step, ${FIRST_STEPS} processes.

${THREADS} threads each. ${machine()} Peak: ${Math.max(...measured.map(({ peak }) => peak)).toFixed(0)} GFLOP/s.

${table()}
${absent.map((line) => `\n- ${line}`).join("")}${absent.length ? "\n" : ""}`;

const RESULTS = join(import.meta.dirname, "RESULTS.md");
const PARTIAL = join(import.meta.dirname, "RESULTS.partial.md");
const writes = !options.json && !positionals.length;
if (writes) {
  for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, () => process.exit(130));
  process.on("exit", () => {
    if (measured.length && measured.length < names.length) console.error(`Not finished: the table so far is ${PARTIAL}.`);
  });
}
for (const name of names) {
  const start = performance.now();
  const result = await measure(name);
  measured.push(result);
  if (options.json) console.log(JSON.stringify(toJson(result)));
  else note(`${name}: measured in ${((performance.now() - start) / 1e3).toFixed(0)} s`);
  if (writes) writeFileSync(PARTIAL, results());
}
if (writes) renameSync(PARTIAL, RESULTS);
if (!options.json) console.log(`\n${table()}`);
