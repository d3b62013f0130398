import { describe, expect, test } from "vitest";
import { loadTfjs } from "../../training/engines/tfjs-package.node.ts";
import { CASES } from "./cases.ts";
import { checkForward, checkGradients, FORWARD_OPS, hasGradients, refusalOf } from "./tfjs-checks.ts";
import { checkTie, TIES } from "./tfjs-ties.ts";

const { tf } = loadTfjs({ packageName: "@tensorflow/tfjs" });

describe.each(FORWARD_OPS)("%s on tfjs", (op) => {
  for (const c of CASES[op]) {
    const refusal = refusalOf(op, c);
    if (refusal) {
      test(`refuses ${c.name}`, () => {
        expect(() => checkForward(tf, op, c)).toThrow(
          `node 'y' (${op}) cannot be computed by the tfjs engine: ${refusal}. The node: y = ${op}(`,
        );
      });
      continue;
    }
    test(c.name, () => checkForward(tf, op, c));
    if (hasGradients(op, c)) test(`the gradient of ${c.name}`, () => checkGradients(tf, op, c));
  }
});

describe("at ties and kinks", () => {
  test.each(TIES)("$op", (tie) => checkTie(tf, tie));
});
