import { stat } from "node:fs/promises";
import type { Command } from "commander";
import { createCommand, DATA_DIR, PROGRAM, print } from "../../core/command-line.node.ts";
import { UsageError } from "../../core/errors.ts";
import { lookUp } from "../../core/nearest.ts";
import { createProgressBar } from "../../core/progress-bar.node.ts";
import { readModel } from "../../core/read-file.node.ts";
import { bytes, count, table } from "../../core/text.ts";
import { readMetadata } from "../../export/metadata.ts";
import { createNetwork } from "../../models/architectures/index.ts";
import { parameterCount } from "../../models/network.ts";
import { PRETRAINED } from "../../models/pretrained.node.ts";
import { SHIPPED, type ShippedModel } from "../../models/shipped.ts";
import { dataRoot } from "../../pipeline/datasets/index.ts";
import type { PreprocessSpec } from "../../pipeline/preprocess.ts";
import { presetOf } from "../../pipeline/presets.ts";
import { KNOWN_WEIGHTS, type KnownWeights } from "./known.ts";
import { weightsPath } from "./read-weights.node.ts";

interface ModelsOptions {
  readonly dataDir?: string;
  readonly json?: true;
}

/** A pretrained model: weights to begin a training with, or a file of the package. */
type Entry = { readonly known: KnownWeights } | { readonly shipped: ShippedModel; readonly path: string };

const ENTRIES: Readonly<Record<string, Entry>> = {
  ...Object.fromEntries(Object.entries(KNOWN_WEIGHTS).map(([name, known]) => [name, { known }])),
  ...Object.fromEntries(
    Object.entries(SHIPPED).map(([name, shipped]) => [name, { shipped, path: PRETRAINED[name as keyof typeof SHIPPED] }]),
  ),
};

/** `models`: which pretrained models there are, and where they come from. */
export function modelsCommand(): Command {
  const command = createCommand("models", "List, describe and fetch pretrained models.", [
    "fivecrop models list",
    "fivecrop models fetch resnet18",
    "fivecrop train --model resnet18 --weights resnet18 --data folder:photos",
  ]);
  /** --json is known to `models` too, which takes it wherever it stands. */
  const all = <Options extends ModelsOptions>(options: Options): Options => ({ ...command.opts<ModelsOptions>(), ...options });
  const sub = (name: string, summary: string, examples: readonly string[]): Command =>
    createCommand(name, summary, examples).option(...DATA_DIR);
  const list = sub("list", "List the pretrained models.", ["fivecrop models list"]).action((options: ModelsOptions) =>
    listModels(all(options)),
  );
  const info = sub("info", "Say what a pretrained model is, whether it is there, and where it comes from.", [
    "fivecrop models info resnet18",
  ])
    .argument("<name>", "a pretrained model")
    .action((name: string, options: ModelsOptions) => showInfo(name, all(options)));
  const fetch = sub(
    "fetch",
    "Bring weights to where train --weights looks for them. What has arrived of a download that was cut is not fetched again.",
    ["fivecrop models fetch resnet18", "fivecrop models fetch densenet169 --from ~/.cache/torch"],
  )
    .argument("<name>", "a pretrained model")
    .option("--from <place>", "the file, a directory that has it, or an http(s) address, in place of the official one")
    .action((name: string, options: FetchOptions) => fetchOne(name, all(options)));
  for (const each of [list, info, fetch]) command.addCommand(each);
  return command.allowExcessArguments().action(() => {
    if (command.args.length === 0) command.outputHelp();
    else lookUp("command of models", { list, info, fetch }, command.args[0]);
  });
}

interface Described {
  readonly name: string;
  readonly summary: string;
  readonly file: string;
  /** Its size in bytes, where it is there. */
  readonly bytes?: number;
  readonly preprocess?: PreprocessSpec;
}

async function describe(name: string, root: string): Promise<Described & { readonly entry: Entry }> {
  const entry = lookUp("pretrained model", ENTRIES, name);
  if ("known" in entry) {
    const { known } = entry;
    const file = weightsPath(known, root);
    const { size } = (await stat(file).catch(() => undefined)) ?? {};
    return { name, entry, summary: known.summary, file, bytes: size, preprocess: known.preprocess };
  }
  const { path, shipped } = entry;
  const content = await readModel(path);
  const preprocess = shipped.preset === undefined ? readMetadata(content)?.preprocess : presetOf(shipped.preset);
  return { name, entry, summary: `part of the package, ${shipped.summary}`, file: path, bytes: content.length, preprocess };
}

async function listModels({ dataDir, json }: ModelsOptions): Promise<void> {
  const root = dataRoot(dataDir);
  const found = await Promise.all(Object.keys(ENTRIES).map((name) => describe(name, root)));
  if (json) {
    for (const { entry: _, ...about } of found) print(JSON.stringify(about));
    return;
  }
  for (const line of table(
    found.map(({ name, summary, bytes: size }) => [name, size === undefined ? "–" : "there", summary]),
    { align: "l" },
  ))
    print(line);
  print("");
  print(`To bring one here: ${PROGRAM} models fetch NAME; to begin with it: ${PROGRAM} train --model NAME --weights NAME`);
  print(`To train further what is part of the package: ${PROGRAM} train --model NAME`);
}

async function showInfo(name: string, { dataDir, json }: ModelsOptions): Promise<void> {
  const { entry, ...about } = await describe(name, dataRoot(dataDir));
  const { summary, file, bytes: size, preprocess } = about;
  if (json) {
    print(
      JSON.stringify({ ...about, ...("known" in entry && { model: entry.known.model, source: entry.known.file, home: entry.known.home }) }),
    );
    return;
  }
  print(`${name}: ${summary}`);
  const rows = [
    ["here", size === undefined ? `no; it belongs in ${file}` : `${file}, ${bytes(size)}`],
    ...(preprocess ? [["input", JSON.stringify(preprocess)]] : []),
    ...("known" in entry ? knownRows(name, entry.known) : shippedRows(name, entry)),
  ];
  for (const line of table(rows, { align: "l", indent: 2 })) print(line);
}

const knownRows = (name: string, { model, file, home }: KnownWeights): string[][] => [
  ["network", `${model}, ${count(parameterCount(createNetwork(model)))} parameters`],
  ["home", home],
  ["from", `${file.url}  sha256 ${file.sha256}…`],
  ["to fetch", `${PROGRAM} models fetch ${name}`],
  ["to begin", `${PROGRAM} train --model ${model} --weights ${name} --data DATA`],
];

const shippedRows = (name: string, { shipped: { preset }, path }: Extract<Entry, { path: string }>): string[][] => [
  ...(preset === undefined ? [["to run", `${PROGRAM} infer PICTURE… --model ${path}`]] : []),
  ["to train", `${PROGRAM} train --model ${name}${preset === undefined ? "" : ` --preset ${preset}`} --data DATA`],
];

interface FetchOptions extends ModelsOptions {
  readonly from?: string;
}

async function fetchOne(name: string, { dataDir, from, json }: FetchOptions): Promise<void> {
  const entry = lookUp("pretrained model", ENTRIES, name);
  if ("shipped" in entry) throw new UsageError(`${name}: there is nothing to fetch: it is part of the package.`);
  const { fetchWeights } = await import("./fetch-weights.node.ts");
  const progress = createProgressBar({ quiet: json === true });
  try {
    const fetched = await fetchWeights(name, entry.known, {
      root: dataRoot(dataDir),
      from,
      onProgress: (what, done, total) =>
        progress.show(done, total ?? done, what, total ? `${bytes(done)} of ${bytes(total)}` : bytes(done)),
    });
    progress.end();
    if (json) print(JSON.stringify({ name, ...fetched }));
    else print(`${fetched.file}: ${fetched.alreadyThere ? "is there already: " : ""}${bytes(fetched.bytes)}`);
  } finally {
    progress.end();
  }
}
