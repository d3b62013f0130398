// Training steps beside PyTorch's and tfjs-node's, interleaved in one run: npm run bench:train [-- NET…] [--json] [--memory]
// PEERS names the directory that holds venv/bin/python and tfjs/, PEER_SCRIPT the server that builds and times PyTorch's variants. ROUNDS and SECONDS (of
// a round) say how long it takes, THREADS how many threads each has. Without NET the whole table is measured and written to bench/RESULTS.md.
import { execFileSync } from "node:child_process";
import { existsSync, writeFileSync } from "node:fs";
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
const note = (line) => (options.json ? console.error(line) : console.log(line));
if (!hasTorch) note("PyTorch is not measured: set PEERS to a directory with venv/bin/python, and PEER_SCRIPT to its server.");
if (!hasTfjs) note("tfjs-node is not measured: set PEERS to a directory with tfjs/train_tfjs.cjs beside its node_modules.");

const processOf = (command, args) => JSON.parse(execFileSync(command, args, { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] }));

/** One network, each contestant in a fresh process of its own. */
async function measure(net) {
  const ours = startServer(process.execPath, [OURS, "--serve"], { THREADS });
  const torchServer = hasTorch && startServer(TORCH.python, [TORCH.script, "--serve"], { THREADS });
  const tfjs = hasTfjs && TFJS_NETS.includes(net) && startServer(process.execPath, [TFJS, "--serve"], { OMP_NUM_THREADS: THREADS });
  const { batch, gflop, forward_gflop } = await ours.ask(`build ${net}`);
  const built =
    torchServer &&
    (await torchServer.ask(`build ${net}`).catch((error) => {
      note(`${net}: PyTorch is not measured, its server could not build it: ${error.message.trim().split("\n").at(-1)}`);
    }));
  const torch = built && torchServer;
  const { layout, compiled } = built ? built.fastest : {};
  if (tfjs) await tfjs.ask(`build ${net}`);
  const times = { ours: [], torch: [], tfjs: [], forward: [], torchForward: [], peak: [] };
  for (let round = 0; round < ROUNDS; round++) {
    times.peak.push((await ours.ask(`peak ${SECONDS / 4}`)).gflops);
    times.ours.push((await ours.ask(`time ${SECONDS}`)).ms);
    if (torch) times.torch.push((await torch.ask(`time ${SECONDS}`)).ms);
    if (tfjs) times.tfjs.push((await tfjs.ask(`time ${SECONDS}`)).ms);
    times.forward.push((await ours.ask(`forward ${SECONDS / 2}`)).ms);
    if (torch) times.torchForward.push((await torch.ask(`forward ${SECONDS / 2}`)).ms);
  }
  for (const server of [ours, torchServer, tfjs]) if (server) server.quit();
  const variant = torch ? `${layout}${compiled ? ", compiled" : ""}` : undefined;
  const memory = options.memory && {
    ours: processOf(process.execPath, [OURS, "--memory", net]).peak_rss_mb,
    torch: torch && processOf(TORCH.python, [TORCH.script, "--memory", net, layout, ...(compiled ? ["compiled"] : [])]).peak_rss_mb,
  };
  return { net, batch, gflop, forward_gflop, variant, times, memory, peak: Math.max(...times.peak) };
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
  ...(memory && { ours_peak_mb: memory.ours, torch_peak_mb: memory.torch || undefined }),
});

const names = positionals.length ? positionals : Object.keys(BATCH);
const unknown = names.find((name) => !(name in BATCH));
if (unknown) throw new Error(`no such network here: ${unknown}. There are ${Object.keys(BATCH).join(", ")}.`);
const measured = [];
const write = () =>
  writeFileSync(
    join(import.meta.dirname, "RESULTS.md"),
    `# Training steps

Written by \`npm run bench:train\`: one run, ${ROUNDS} rounds of ${SECONDS} s in turn, medians with the least and the most. A ratio above 1 says that ours is faster.
GFLOP counts convolutions and linear layers, two for each multiply-add; the peak is the best round of a 2048³ product in ONNX Runtime, with the same threads.
"Forward" is the exported graph on a batch of 128 beside PyTorch's fastest layout.

${THREADS} threads each. ${machine()}

${markdown([HEAD, ...measured.map(row)])}
`,
  );
for (const name of names) {
  const result = await measure(name);
  measured.push(result);
  if (options.json) console.log(JSON.stringify(toJson(result)));
  else console.log(HEAD.map((head, i) => `${head}: ${row(result)[i]}`).join(" · "));
  if (!options.json && !positionals.length) write();
}
