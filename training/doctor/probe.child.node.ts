// The process behind probe.node.ts: it tries one thing, and says what it found.
import { messageOf } from "../../core/errors.ts";
import { ANSWER, isProbe, type Probed } from "./probe.node.ts";
import { PROBES } from "./probes.node.ts";

const name = process.argv[2];
let found: Probed;
const started = performance.now();
try {
  const tried = isProbe(name) ? await PROBES[name]() : undefined;
  found =
    tried === undefined
      ? { works: false, message: `there is nothing to try that is called '${name}'` }
      : { works: true, ...tried, seconds: (performance.now() - started) / 1e3 };
} catch (error) {
  found = { works: false, message: messageOf(error) };
}
process.stdout.write(`\n${ANSWER}${JSON.stringify(found)}\n`, () => process.exit(0));
