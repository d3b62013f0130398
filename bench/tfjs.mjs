// Training steps of the tfjs engine beside the layers API of the same package, interleaved in one run: npm run bench:tfjs [-- NET…]
// PEERS names the directory that holds tfjs/train_tfjs.cjs beside its node_modules.
// ROUNDS and SECONDS (of a round) say how long it takes, THREADS how many threads the engine has.
import { existsSync } from "node:fs";
import { join } from "node:path";
import { spread } from "./rounds.mjs";
import { startServer } from "./server.mjs";

const { PEERS = "", THREADS = "2" } = process.env;
const ROUNDS = Number(process.env.ROUNDS ?? 9);
const SECONDS = Number(process.env.SECONDS ?? 1);
const NETS = ["fashion-cnn", "minivgg", "minivgg-bn"];
const LAYERS = join(PEERS, "tfjs/train_tfjs.cjs");
if (!PEERS || !existsSync(LAYERS)) throw new Error("set PEERS to a directory with tfjs/train_tfjs.cjs beside its node_modules.");

/** The one that the engine takes there. */
const PACKAGE = ["@tensorflow/tfjs-node-gpu", "@tensorflow/tfjs-node"].find((name) => existsSync(join(PEERS, "tfjs/node_modules", name)));

const names = process.argv.length > 2 ? process.argv.slice(2) : NETS;
const unknown = names.find((name) => !NETS.includes(name));
if (unknown) throw new Error(`no such network here: ${unknown}. There are ${NETS.join(", ")}.`);
for (const net of names) {
  const env = { THREADS, OMP_NUM_THREADS: THREADS, TF_NUM_INTRAOP_THREADS: THREADS, PACKAGE };
  const ours = startServer(process.execPath, [join(import.meta.dirname, "step.mjs"), "--serve"], {
    ...env,
    ENGINE: "tfjs",
    FIVECROP_TFJS: join(PEERS, "tfjs"),
  });
  const layers = startServer(process.execPath, [LAYERS, "--serve"], env);
  const times = { ours: [], layers: [] };
  try {
    for (const server of [ours, layers]) await server.ask(`build ${net}`);
    for (let round = 0; round < ROUNDS; round++) {
      times.ours.push((await ours.ask(`time ${SECONDS}`)).ms);
      times.layers.push((await layers.ask(`time ${SECONDS}`)).ms);
    }
  } finally {
    for (const server of [ours, layers]) server.quit();
  }
  const ratio = spread(
    times.layers.map((ms, i) => ms / times.ours[i]),
    2,
  );
  console.log(
    `${net}: the tfjs engine ${spread(times.ours, 1)} ms, the layers API ${spread(times.layers, 1)} ms, ratio ${ratio} (${PACKAGE})`,
  );
}
