// How a training step grows: npm run bench:scaling
// resnet18 over batch sizes (64×64 pixels) and over image sizes (batch 8), with one thread and two; written to bench/SCALING.md. SECONDS (of each
// place) says how long it takes. Each place is a process of its own; one that would not fit into memory is left out, and said.
import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { writeWhole } from "../dist/core/atomic-file.node.js";
import { machine } from "./machine.mjs";
import { markdown, median } from "./rounds.mjs";
import { makeStep } from "./step.mjs";
import { operations } from "./work.mjs";

const NET = "resnet18";
const SECONDS = Number(process.env.SECONDS ?? 1.5);
const THREADS = [1, 2];
/** Above it a step grows faster than its work: a cliff. */
const STEEP = 1.3;
/** Sides are multiples of 32, or the last stages would round up and the work not be in proportion to the pixels. */
const SWEEPS = {
  "batch sizes, 64×64 pixels": [1, 2, 4, 8, 16, 32, 64, 128, 256, 512].map((batch) => ({ batch, size: 64 })),
  "image sizes, batch 8": [32, 64, 96, 128, 160, 192, 224].map((size) => ({ batch: 8, size })),
};

async function timeHere({ batch, size, threads }) {
  const { network, step, dispose } = await makeStep(NET, { threads, batch, input: [3, size, size], warmUp: 1 });
  const ms = await median(step, SECONDS);
  console.log(JSON.stringify({ ms, gflop: operations(network, batch).step / 1e9, bytes: process.resourceUsage().maxRSS * 1024 }));
  await dispose();
}

const amountOf = ({ batch, size }) => batch * size ** 2;
const gigabytes = (bytes) => `${(bytes / 2 ** 30).toFixed(1)} GB`;
const named = ({ batch, size, threads }) => `batch ${batch}, ${size}×${size}, ${threads} thread${threads > 1 ? "s" : ""}`;

/** @param before the place before it, by which its memory is guessed: in proportion at most. @returns the measurement, or why there is none */
function timeOf(place, before) {
  const needed = before ? (before.bytes * amountOf(place)) / amountOf(before.place) : 0;
  const free = process.availableMemory();
  if (needed > free) return { place, reason: `it would take about ${gigabytes(needed)}, ${gigabytes(free)} are free` };
  try {
    const said = execFileSync(process.execPath, [import.meta.filename, JSON.stringify(place)], {
      encoding: "utf8",
      stdio: ["ignore", "pipe", "inherit"],
    });
    return { place, ...JSON.parse(said) };
  } catch (error) {
    if (!error.signal) throw error;
    return { place, reason: `its process was ended by ${error.signal}` };
  }
}

/** One sweep with so many threads, place by place. */
function sweep(places, threads) {
  const found = [];
  for (const place of places) {
    const one = timeOf({ ...place, threads }, found.at(-1));
    console.log(`${NET}, ${named(one.place)}: ${one.reason ? `left out, ${one.reason}` : `${one.ms.toFixed(1)} ms`}`);
    found.push(one);
    if (one.reason) break; // what is larger takes more
  }
  return found;
}

/** The slope of ln(time) over ln(pixels of the batch) by least squares: 1 is in proportion. */
function exponentOf(found) {
  const [x, y] = [found.map(({ place }) => Math.log(amountOf(place))), found.map(({ ms }) => Math.log(ms))];
  const mean = (values) => values.reduce((a, b) => a + b) / values.length;
  const [mx, my] = [mean(x), mean(y)];
  return x.reduce((sum, value, i) => sum + (value - mx) * (y[i] - my), 0) / x.reduce((sum, value) => sum + (value - mx) ** 2, 0);
}

const slopeOf = (found) => {
  const measured = found.filter(({ reason }) => !reason);
  return measured.length > 1 ? exponentOf(measured).toFixed(2) : "too few places";
};
const localExponent = (found, i) => (i && found[i] && !found[i].reason ? exponentOf([found[i - 1], found[i]]) : undefined);

function cellsOf(found, i) {
  const one = found[i];
  if (!one || one.reason) return ["–", "–", "–"];
  const exponent = localExponent(found, i);
  const shown = exponent === undefined ? "–" : `${exponent.toFixed(2)}${exponent > STEEP ? " !" : ""}`;
  return [one.ms.toFixed(1), ((1e3 * one.gflop) / one.ms).toFixed(0), shown];
}

async function measureAll() {
  const sweeps = Object.entries(SWEEPS).map(([name, places]) => ({
    name,
    places,
    found: THREADS.map((threads) => sweep(places, threads)),
  }));
  const rows = sweeps.flatMap(({ places, found }) =>
    places.map(({ batch, size }, i) => [
      String(batch),
      `${size}×${size}`,
      ...found.flatMap((one) => cellsOf(one, i)),
      found.every((one) => one[i] && !one[i].reason) ? (found[0][i].ms / found[1][i].ms).toFixed(2) : "–",
    ]),
  );
  const columns = THREADS.flatMap((n) => [`${n} thread${n > 1 ? "s" : ""}, ms`, "GFLOP/s", "exponent"]);
  const table = markdown([["batch", "pixels", ...columns, "1 / 2 threads"], ...rows]);
  const all = sweeps.flatMap(({ found }) => found);
  const left = all.flat().filter(({ reason }) => reason);
  const steep = all.flatMap((found) => found.map(({ place }, i) => ({ place, exponent: localExponent(found, i) })));
  const cliffs = steep.filter(({ exponent }) => exponent > STEEP).map(({ place, exponent }) => `${named(place)} (${exponent.toFixed(2)})`);
  const slopes = sweeps.map(
    ({ name, found }) => `- Over ${name}: ${found.map((one, t) => `${slopeOf(one)} with ${THREADS[t]}`).join(", ")}.`,
  );
  return [
    table,
    `Exponents over all places of a sweep, by threads:\n\n${slopes.join("\n")}`,
    cliffs.length
      ? `Cliffs, where the exponent from the place before is above ${STEEP}: ${cliffs.join("; ")}.`
      : `No cliff: every exponent that was measured is at most ${STEEP}.`,
    ...left.map(({ place, reason }) => `Left out, with what is larger: ${named(place)}: ${reason}.`),
  ].join("\n\n");
}

if (process.argv[2]) await timeHere(JSON.parse(process.argv[2]));
else {
  const measured = await measureAll();
  console.log(`\n${measured}`);
  await writeWhole(
    join(import.meta.dirname, "SCALING.md"),
    `# How a training step grows

Written by \`npm run bench:scaling\`: ${NET}, forward, backward and SGD with momentum, each place in a process of its own, medians of ${SECONDS} s and at least three
steps. The exponent is the slope of ln(time) over ln(images · pixels), beside each row that from the row before: 1 is in proportion, below 1 larger is cheaper.

${machine()}

${measured}
`,
  );
}
