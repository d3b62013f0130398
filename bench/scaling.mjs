// How a training step grows: npm run bench:scaling
// resnet18 over batch sizes (32×32 pixels), over image sizes (batch 8), with one thread and two; written to bench/SCALING.md. SECONDS (of each place)
// says how long it takes. Each place is a process of its own.
import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { machine } from "./machine.mjs";
import { markdown, median } from "./rounds.mjs";
import { makeStep } from "./step.mjs";

const NET = "resnet18";
const SECONDS = Number(process.env.SECONDS ?? 3);
const THREADS = [1, 2];
const BATCHES = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512].map((batch) => ({ batch, size: 32 }));
const SIZES = [32, 48, 64, 96, 128, 160, 192, 224].map((size) => ({ batch: 8, size }));

async function timeHere({ batch, size, threads }) {
  const { step, dispose } = await makeStep(NET, { threads, batch, input: [3, size, size] });
  console.log(JSON.stringify(await median(step, SECONDS)));
  await dispose();
}

const timeOf = (place) =>
  JSON.parse(
    execFileSync(process.execPath, [import.meta.filename, JSON.stringify(place)], {
      encoding: "utf8",
      stdio: ["ignore", "pipe", "ignore"],
    }),
  );

/** The slope of ln(time) over ln(amount) by least squares: 1 is in proportion. */
function exponentOf(amounts, times) {
  const [x, y] = [amounts.map(Math.log), times.map(Math.log)];
  const mean = (values) => values.reduce((a, b) => a + b) / values.length;
  const [mx, my] = [mean(x), mean(y)];
  return x.reduce((sum, value, i) => sum + (value - mx) * (y[i] - my), 0) / x.reduce((sum, value) => sum + (value - mx) ** 2, 0);
}

/** @param amountOf what is to be in proportion with time: images, or pixels of one */
function table(places, head, amountOf) {
  const rows = places.map((place) => {
    const times = THREADS.map((threads) => timeOf({ ...place, threads }));
    console.log(
      `${NET}, batch ${place.batch}, ${place.size}×${place.size}: ${times.map((ms, i) => `${ms.toFixed(1)} ms (${THREADS[i]} threads)`).join(", ")}`,
    );
    return { place, times };
  });
  const amounts = rows.map(({ place }) => amountOf(place));
  const exponents = THREADS.map((_, t) =>
    exponentOf(
      amounts,
      rows.map(({ times }) => times[t]),
    ),
  );
  const cells = rows.map(({ place, times }, i) => [
    String(head === "batch" ? place.batch : place.size),
    ...times.flatMap((ms) => [ms.toFixed(1), ((1e3 * ms) / amounts[i] / (head === "batch" ? 1 : 8)).toFixed(head === "batch" ? 0 : 3)]),
    (times[0] / times[1]).toFixed(2),
  ]);
  const unit = head === "batch" ? "µs an image" : "µs a pixel";
  const last = ["exponent", ...exponents.flatMap((exponent) => [exponent.toFixed(2), ""]), ""];
  return markdown([
    [head === "batch" ? "batch" : "side, pixels", ...THREADS.flatMap((n) => [`${n} thread${n > 1 ? "s" : ""}, ms`, unit]), "1 / 2 threads"],
    ...cells,
    last,
  ]);
}

if (process.argv[2]) await timeHere(JSON.parse(process.argv[2]));
else {
  const batches = table(BATCHES, "batch", ({ batch }) => batch);
  const sizes = table(SIZES, "size", ({ size }) => size ** 2);
  writeFileSync(
    join(import.meta.dirname, "SCALING.md"),
    `# How a training step grows

Written by \`npm run bench:scaling\`: ${NET}, forward, backward and SGD with momentum, medians of ${SECONDS} s each. The exponent is the slope of
ln(time) over ln(images) or ln(pixels): 1 is in proportion, below 1 larger is cheaper.

${machine()}

## Over batch sizes, 32×32 pixels

${batches}

## Over image sizes, batch 8

${sizes}
`,
  );
}
