// Training steps beside PyTorch's, interleaved in one run: npm run bench:train [-- NET…]
// PEERS names the directory that holds venv/bin/python; PEER_SCRIPT the server that builds and times PyTorch's variants.
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { BATCH, makeStep, median } from "./step.mjs";

// Short rounds in turn: a shared machine's speed drifts within seconds, and both must see the same of it.
const ROUNDS = Number(process.env.ROUNDS ?? 15);
const SECONDS = 0.5;
const script = process.env.PEER_SCRIPT ?? join(import.meta.dirname, "../../shared/peers/train_torch.py");
const python = process.env.PEERS && join(process.env.PEERS, "venv/bin/python");

/** Questions to the peer, one line each, answered by one line each; undefined where it is not there. */
function startPeer() {
  if (!python || !existsSync(python) || !existsSync(script)) {
    console.log("PyTorch is not measured: set PEERS to a directory with venv/bin/python, and PEER_SCRIPT to its server.");
    return undefined;
  }
  const peer = spawn(python, [script, "--serve"], { stdio: ["pipe", "pipe", "ignore"] });
  const answers = createInterface({ input: peer.stdout })[Symbol.asyncIterator]();
  const ask = async (question) => {
    peer.stdin.write(`${question}\n`);
    return JSON.parse((await answers.next()).value);
  };
  return { ask, quit: () => peer.stdin.end("quit\n") };
}

const middle = (values) => values.toSorted((a, b) => a - b)[values.length >> 1];
const fixed = (values, digits) =>
  `${middle(values).toFixed(digits)} (${Math.min(...values).toFixed(digits)} … ${Math.max(...values).toFixed(digits)})`;

const names = process.argv.length > 2 ? process.argv.slice(2) : Object.keys(BATCH);
const peer = startPeer();
console.log("network (batch)        ours, ms                     PyTorch's best, ms           ratio");
for (const name of names) {
  const variant = peer && (await peer.ask(`build ${name}`));
  const { step, batch, dispose } = await makeStep(name);
  const [ours, theirs] = [[], []];
  for (let round = 0; round < ROUNDS; round++) {
    ours.push(await median(step, SECONDS));
    if (peer) theirs.push((await peer.ask(`time ${SECONDS}`)).ms);
  }
  await dispose();
  const ratios = theirs.map((ms, i) => ms / ours[i]);
  const { layout, compiled } = variant?.fastest ?? {};
  console.log(
    `${`${name} (${batch})`.padEnd(22)} ${fixed(ours, 1).padEnd(28)} ${peer ? `${fixed(theirs, 1).padEnd(28)} ${fixed(ratios, 2)}   ${layout}${compiled ? ", compiled" : ""}` : ""}`,
  );
}
peer?.quit();
