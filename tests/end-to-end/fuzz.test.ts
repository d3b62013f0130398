import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { random } from "../../core/random.ts";
import { jsonLines, picture, temporaryFolder } from "../cli/run.ts";
import { type CommandLoop, commandLoop, type Ran } from "./fuzz/loop.ts";
import { MODEL_MUTATIONS, seedModels } from "./fuzz/models.ts";
import { mutate } from "./fuzz/mutate.ts";
import { PICTURE_MUTATIONS, seedPictures } from "./fuzz/pictures.ts";

const PICTURES = Number(process.env.FUZZ_PICTURES ?? 2000);
const MODELS = Number(process.env.FUZZ_MODELS ?? 500);
const SEED = Number(process.env.FUZZ_SEED ?? 20);

const loops: readonly CommandLoop[] = [commandLoop(), commandLoop()];
let folder: string;
beforeAll(async () => {
  folder = process.env.FUZZ_FOLDER ?? (await temporaryFolder());
});
afterAll(() => {
  for (const loop of loops) loop.end();
});

/** Each piece of work in whichever process is free. @returns what went wrong */
async function inParallel<Work>(works: readonly Work[], run: (loop: CommandLoop, work: Work) => Promise<string[]>): Promise<string[]> {
  const waiting = [...works];
  const found: string[] = [];
  const walk = async (loop: CommandLoop): Promise<void> => {
    for (let work = waiting.shift(); work !== undefined; work = waiting.shift()) found.push(...(await run(loop, work)));
  };
  await Promise.all(loops.map(walk));
  return found;
}

/** Why a message is none for a person: a stack trace, a fault of ours, more than a line. */
function faultOf(message: string): string | undefined {
  if (message.split("\n").length > 1) return "more than one line";
  return /\n\s+at |node:internal|fault of fivecrop|undefined|\[object|TypeError|RangeError|not a function/.exec(message)?.[0];
}

/** Peaks of memory, of each process. */
const peak = (runs: readonly number[]): string => `peak of resident memory: ${Math.round(Math.max(...runs))} MB`;

describe("files that are not what they should be: a message for each, no crash, no hang, no stack trace", () => {
  test(`${PICTURES} pictures through infer`, async () => {
    const seeds = await seedPictures();
    const all = Object.values(seeds).flat();
    const formats = Object.keys(seeds);
    const numbers = random(SEED);
    const folders = formats.map((format, f) => {
      const place = join(folder, format);
      mkdirSync(place);
      const count = Math.floor((PICTURES * (f + 1)) / formats.length) - Math.floor((PICTURES * f) / formats.length);
      const files = Array.from({ length: count }, (_, i) => {
        const own = numbers.fork(format, i);
        const file = join(place, `${String(i).padStart(4, "0")}.${format}`);
        const seed = seeds[format][own.integer(seeds[format].length)];
        writeFileSync(file, mutate(seed, own, all[own.integer(all.length)], PICTURE_MUTATIONS(format)));
        return file;
      });
      return { place, files };
    });
    writeFileSync(join(folder, "model.onnx"), seedModels()[0]);
    const megabytes: number[] = [];
    const counts = { answered: 0, refused: 0 };
    const found = await inParallel(folders, async (loop, { place, files }) => {
      const ran = await loop.run(["infer", place, "--model", join(folder, "model.onnx"), "--json", "--top", "1"], 120);
      if ("crash" in ran) return [`${place}: ${ran.crash}`];
      megabytes.push(ran.megabytes);
      const answers = jsonLines(ran.stdout) as { file: string; error?: string; predictions?: unknown[] }[];
      const faults = answers.flatMap(({ file, error, predictions }) => {
        counts[error === undefined ? "answered" : "refused"]++;
        const fault =
          error === undefined ? predictions?.length !== 1 && "no answer" : !error.startsWith(file) ? "names no file" : faultOf(error);
        return fault ? [`${file}: ${fault}: ${error}`] : [];
      });
      const said = ran.stderr.trim().split("\n").length;
      const refused = answers.filter(({ error }) => error !== undefined).length;
      if (said !== refused) faults.push(`${place}: ${refused} refused, ${said} lines: ${ran.stderr.slice(0, 500)}`);
      if (ran.code !== 1) faults.push(`${place}: exit code ${ran.code}`);
      return String(answers.map(({ file }) => file)) === String(files) ? faults : [...faults, `${place}: not each file in order`];
    });
    console.log(`${counts.answered} answered, ${counts.refused} refused; ${peak(megabytes)}`);
    expect(found).toEqual([]);
    expect(counts.answered + counts.refused).toBe(PICTURES);
    expect(Math.min(counts.answered, counts.refused)).toBeGreaterThan(PICTURES / 20);
  });

  test(`${MODELS} ONNX files through infer, and inspect`, async () => {
    const seeds = seedModels();
    const numbers = random(SEED + 1);
    const megabytes: number[] = [];
    const counts = { answered: 0, refused: 0 };
    const works = Array.from({ length: MODELS }, (_, i) => i);
    const found = await inParallel(works, async (loop, i) => {
      const own = numbers.fork(i);
      const file = join(folder, `${i}.onnx`);
      writeFileSync(file, mutate(seeds[i % seeds.length], own, seeds[own.integer(seeds.length - 1)], MODEL_MUTATIONS));
      const faults: string[] = [];
      for (const args of [
        ["infer", picture("bag"), "--model", file, "--json", "--top", "1"],
        ["inspect", file, "--json"],
      ]) {
        const ran = await loop.run(args, 30);
        const fault = "crash" in ran ? ran.crash : faultOfRun(ran, file);
        if (fault) faults.push(`${args[0]} ${file}: ${fault}`);
        if ("crash" in ran) continue;
        megabytes.push(ran.megabytes);
        if (args[0] === "infer") counts[ran.code ? "refused" : "answered"]++;
      }
      return faults;
    });
    console.log(`${counts.answered} answered, ${counts.refused} refused; ${peak(megabytes)}`);
    expect(found).toEqual([]);
    expect(Math.min(counts.answered, counts.refused)).toBeGreaterThan(MODELS / 20);
  });
});

/** An answer, or one message that names the model. */
function faultOfRun({ code, stdout, stderr }: Ran, file: string): string | undefined {
  const said = stderr.trim();
  if (code === 0) return jsonLines(stdout).length === 1 && said === "" ? undefined : `answered '${stdout}', said '${said}'`;
  if (code !== 1 && code !== 2) return `exit code ${code}: ${said}`;
  const fault = faultOf(said);
  if (fault) return `${fault}: ${said}`;
  return said.startsWith("fivecrop: ") && said.includes(file) ? undefined : `names no file: ${said}`;
}
