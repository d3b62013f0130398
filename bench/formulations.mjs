// Every formulation of the heavy operators, one by one, beside the cost that the compiler's model gives it: npm run bench:formulations [-- NET…]
// Both in milliseconds; inputs and outputs lie in the formulation's own layouts. Convolutions always, pools and norms where there is a choice.
// OPS=Conv,… picks operators, ROUNDS says how long it takes. Without NET and OPS all is measured and written to bench/FORMULATIONS.md.
import { join } from "node:path";
import { writeWhole } from "../dist/core/atomic-file.node.js";
import { createSession } from "../dist/core/session.node.js";
import { int64, sizeOf, tensor, zeros } from "../dist/core/tensor.js";
import { serialize } from "../dist/export/serialize.js";
import { createNetwork } from "../dist/models/architectures/index.js";
import { knownShape } from "../dist/models/graph/graph.js";
import { graphBuilder } from "../dist/models/ops/index.js";
import { sgd } from "../dist/training/optimizers.js";
import { writeStep } from "../dist/training/step/index.js";
import { physicalShape } from "../dist/training/step/lower/formulation.js";
import { FORMULATIONS } from "../dist/training/step/lower/index.js";
import { machine } from "./machine.mjs";
import { markdown, middle } from "./rounds.mjs";
import { BATCH } from "./step.mjs";

const CONVOLUTIONS = ["Conv", "ConvInputGradient", "ConvWeightGradient"];
const POOLS = ["MaxPool", "MaxPoolGradient", "AveragePool", "AveragePoolGradient", "GlobalAveragePool"];
const NORMS = ["BatchNormalization", "BatchMoments", "BatchMomentsGradient", "BatchNormGradient"];
const OPS = process.env.OPS?.split(",") ?? [...CONVOLUTIONS, ...POOLS, ...NORMS];
const ROUNDS = Number(process.env.ROUNDS ?? 5);
const THREADS = Number(process.env.THREADS ?? 2);
const names = process.argv.length > 2 ? process.argv.slice(2) : Object.keys(BATCH);

const noise = (shape) =>
  tensor(
    "float32",
    shape,
    Float32Array.from({ length: sizeOf(shape) }, (_, i) => Math.sin(i)),
  );

/** One node by one formulation, as a session on inputs in memory. */
async function prepare(graph, node, formulation, plan) {
  const g = graphBuilder();
  const feeds = {};
  const inputs = node.inputs.map((value, i) => {
    if (!value) return undefined;
    const constant = graph.initializers.get(value);
    if (constant) return g.initializer(`constant${i}`, constant);
    const shape = physicalShape(knownShape(value), plan.inputs[i]);
    feeds[`input${i}`] = value.dtype === "int64" ? tensor("int64", shape, int64(Array(sizeOf(shape)).fill(0)).data) : noise(shape);
    return g.input(`input${i}`, value.dtype, shape);
  });
  const outputs = formulation.emit(g, node, inputs);
  const session = await createSession(serialize(g.build("formulation", outputs)), { threads: THREADS });
  const results = Object.fromEntries(outputs.map((value) => [value.name, zeros(value.dtype, knownShape(value))])); // or each run would allocate them
  return { session, run: () => session.run(feeds, results) };
}

async function timed(run) {
  await run();
  const start = performance.now();
  await run();
  const repeats = Math.max(1, Math.ceil(40 / (performance.now() - start)));
  const rounds = [];
  for (let round = 0; round < ROUNDS; round++) {
    const from = performance.now();
    for (let i = 0; i < repeats; i++) await run();
    rounds.push((performance.now() - from) / repeats);
  }
  return middle(rounds);
}

/** How the processor may compute it. */
const plansOf = (node, graph) =>
  FORMULATIONS[node.op]
    .map((formulation) => ({ formulation, plan: formulation.plan(node, (value) => graph.initializers.get(value)) }))
    .filter(({ plan }) => plan && (plan.devices?.includes("cpu") ?? true));

const tables = [];
for (const name of names) {
  const { graph } = writeStep(createNetwork(name), BATCH[name], sgd({}));
  const rows = [["node", "formulation", "inputs", "output", "measured", "model", "measured / model"]];
  const seen = new Set();
  for (const node of graph.nodes.filter(({ op }) => OPS.includes(op))) {
    const shapes = (values) => values.map((value) => (value ? `[${value.shape}]` : "–")).join(" ");
    const key = `${node.op} ${shapes(node.inputs)} ${shapes(node.outputs)} ${JSON.stringify(node.attributes)}`;
    if (seen.has(key)) continue;
    seen.add(key);
    const plans = plansOf(node, graph);
    if (plans.length < 2 && !CONVOLUTIONS.includes(node.op)) continue;
    for (const { formulation, plan } of plans) {
      const { session, run } = await prepare(graph, node, formulation, plan);
      const measured = await timed(run);
      await session.dispose();
      const model = plan.cost / 1e6;
      rows.push([
        `${node.name} (${node.op})`,
        formulation.name,
        shapes(node.inputs),
        shapes(node.outputs),
        measured.toFixed(3),
        model.toFixed(3),
        (measured / model).toFixed(2),
      ]);
    }
  }
  tables.push(`## ${name}, batch ${BATCH[name]}\n\n${markdown(rows)}`);
  console.log(`\n${tables.at(-1)}`);
}
if (process.argv.length === 2 && !process.env.OPS)
  await writeWhole(
    join(import.meta.dirname, "FORMULATIONS.md"),
    `# The cost model beside measurements

Written by \`npm run bench:formulations\` on ${new Date().toISOString().slice(0, 10)}: every formulation of the convolutions of each network's training step, of its pools and norms
where there is a choice, one by one; milliseconds, medians of ${ROUNDS} rounds, ${THREADS} threads. Only the model's ratios within a node matter. Inputs and output are logical shapes.

${machine()}

${tables.join("\n\n")}
`,
  );
