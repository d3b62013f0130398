// Where a step's time goes, by operator and by node, from ONNX Runtime's own profile: npm run bench:profile -- NET [NODES]
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as ort from "onnxruntime-node";
import { ON_CPU } from "../dist/core/session.node.js";
import { sessionMaker } from "../dist/core/session.runtime.js";
import { markdown } from "./rounds.mjs";
import { BATCH, makeStep } from "./step.mjs";

const [name, most = "30"] = process.argv.slice(2);
if (!name || name.startsWith("-")) {
  console.error(`usage: npm run bench:profile -- NET [NODES]
NET is ${Object.keys(BATCH).join(", ")}, or another network; NODES says how many nodes are listed, 30.
STEPS says how many steps are measured, 10, and THREADS how many threads they have, 2.`);
  process.exit(2);
}
const THREADS = Number(process.env.THREADS ?? 2);
const STEPS = Number(process.env.STEPS ?? 10);
const folder = mkdtempSync(join(tmpdir(), "fivecrop-profile-"));
const sessions = [];
const createSession = sessionMaker(
  {
    Tensor: ort.Tensor,
    InferenceSession: {
      create: async (...args) => {
        const session = await ort.InferenceSession.create(...args);
        sessions.push(session);
        return session;
      },
    },
  },
  {
    ...ON_CPU,
    options: (asked) => ({ ...ON_CPU.options(asked), enableProfiling: true, profileFilePrefix: join(folder, "step") }),
  },
);

try {
  const { step, batch } = await makeStep(name, { threads: THREADS, warmUp: STEPS, createSession });
  const start = performance.now();
  for (let i = 0; i < STEPS; i++) await step();
  const milliseconds = (performance.now() - start) / STEPS;
  for (const session of sessions) session.endProfiling();
  const events = JSON.parse(readFileSync(join(folder, readdirSync(folder)[0]), "utf8")).filter(
    ({ cat, name }) => cat === "Node" && name.endsWith("_kernel_time"),
  );
  const measured = events.slice(events.length / 2); // the first half is warm-up
  const total = measured.reduce((sum, { dur }) => sum + dur, 0) / 1e3 / STEPS;
  const grouped = (keyOf) => {
    const groups = new Map();
    for (const event of measured) {
      const key = keyOf(event);
      const { us, count } = groups.get(key) ?? { us: 0, count: 0 };
      groups.set(key, { us: us + event.dur, count: count + 1, event });
    }
    return [...groups].sort((a, b) => b[1].us - a[1].us);
  };
  const ms = (us) => (us / 1e3 / STEPS).toFixed(3);
  const share = (us) => `${(us / 10 / STEPS / total).toFixed(1)} %`;
  console.log(`${name}, batch ${batch}: ${milliseconds.toFixed(2)} ms a step with the profiler on, ${total.toFixed(2)} ms in kernels\n`);
  const byOp = grouped(({ args }) => args.op_name);
  console.log(
    markdown([["operator", "nodes", "ms", "share"], ...byOp.map(([op, { us, count }]) => [op, String(count / STEPS), ms(us), share(us)])]),
  );
  const byNode = grouped(({ name }) => name.replace(/_kernel_time$/, "")).slice(0, Number(most));
  const shapes = ({ args }, which) => (args[which] ?? []).map((type) => `[${Object.values(type)[0].join(",")}]`).join(" ");
  console.log(
    `\n${markdown([
      ["node", "operator", "ms", "share", "inputs", "output"],
      ...byNode.map(([node, { us, event }]) => [
        node,
        event.args.op_name,
        ms(us),
        share(us),
        shapes(event, "input_type_shape"),
        shapes(event, "output_type_shape"),
      ]),
    ])}`,
  );
} finally {
  rmSync(folder, { recursive: true, force: true });
}
