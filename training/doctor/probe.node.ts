import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { FivecropError } from "../../core/errors.ts";
import { type Found, PROBES, type ProbeName } from "./probes.node.ts";

/** What a tiny run in a process of its own has shown. */
export type Probed = ({ readonly works: true; readonly seconds: number } & Found) | { readonly works: false; readonly message: string };

const BUILT = fileURLToPath(
  new URL(`${import.meta.url.endsWith(".ts") ? "../../dist/training/doctor/" : ""}probe.child.node.js`, import.meta.url),
);

/**
 * Tries something with a real run, in a child process: what crashes there crashes alone.
 * @param seconds it has to answer within
 * @throws FivecropError where the package was not built.
 */
export async function probe(name: ProbeName, seconds = 120): Promise<Probed> {
  if (!existsSync(BUILT)) throw new FivecropError(`${BUILT} is missing. To fix: npm run build`);
  return new Promise((done) => {
    execFile(process.execPath, [BUILT, name], { timeout: 1e3 * seconds, maxBuffer: 2 ** 24 }, (error, stdout) => {
      const answer = stdout.split("\n").findLast((line) => line.startsWith(ANSWER));
      if (answer) done(JSON.parse(answer.slice(ANSWER.length)));
      else if (error?.killed) done({ works: false, message: `it did not answer within ${seconds} s` });
      else done({ works: false, message: `its process crashed (${error?.signal ?? `exit code ${error?.code ?? 0}`})` });
    });
  });
}

/** Stands before the answer, among what libraries print. */
export const ANSWER = "fivecrop-probe: ";

/** @returns why not, for a name from outside */
export const isProbe = (name: string | undefined): name is ProbeName => name !== undefined && Object.hasOwn(PROBES, name);
