import type { Command } from "commander";
import { createCommand, DATA_DIR, numberOption, PROGRAM, print } from "../core/command-line.node.ts";
import { FivecropError, UsageError } from "../core/errors.ts";
import { lookUp } from "../core/nearest.ts";
import { createProgressBar } from "../core/progress-bar.node.ts";
import { bytes, count, plural, table } from "../core/text.ts";
import { CACHES, cacheEntries, removeEntry } from "./cache.node.ts";
import {
  cacheRoot,
  DATASETS,
  type DatasetEntry,
  dataRoot,
  datasetEntry,
  evaluationSplit,
  fileName,
  resolveName,
} from "./datasets/index.ts";

interface WithRoot {
  readonly dataDir?: string;
  readonly json?: true;
}

const withRoot = (command: Command): Command => command.option(...DATA_DIR);

/** `datasets`: what there is to train on, and where it comes from. */
export function datasetsCommand(): Command {
  const command = createCommand("datasets", "List, describe, fetch and show data sets, and what is kept of their pictures.", [
    "fivecrop datasets list",
    "fivecrop datasets fetch cifar-10",
  ]);
  /** --json is known to `datasets` too, which takes it wherever it stands. */
  const all = <Options extends WithRoot>(options: Options): Options => ({ ...command.opts<WithRoot>(), ...options });
  const list = withRoot(createCommand("list", "List the data sets.", ["fivecrop datasets list"])).action((options: WithRoot) =>
    listDatasets(all(options)),
  );
  const info = withRoot(
    createCommand("info", "Say what a data set is, whether it is there, and where it comes from.", [
      "fivecrop datasets info cifar-10",
      "fivecrop datasets info folder:photos",
    ]).argument("<name>", "a data set, or folder:PATH"),
  ).action((name: string, options: WithRoot) => showInfo(name, all(options)));
  const fetch = withRoot(
    createCommand(
      "fetch",
      "Bring a data set to where it is looked for. What has arrived of a download that was cut is not fetched again.",
      [
        "fivecrop datasets fetch cifar-10",
        "fivecrop datasets fetch flowers-102 --from flower_data.zip",
        "fivecrop datasets fetch miniplaces --from miniplaces --data-dir data",
      ],
    )
      .argument("<name>", "a data set")
      .option("--from <place>", "an archive (.tar.gz, .tar, .zip), a directory or an http(s) address, in place of the official one"),
  ).action((name: string, options: FetchCommandOptions) => fetchOne(name, all(options)));
  const show = withRoot(
    createCommand("show", "Write a picture of some of a data set's images with their classes' names.", [
      "fivecrop datasets show cifar-10",
      "fivecrop datasets show folder:photos --count 60 --out photos.png",
    ])
      .argument("<name>", "a data set, or folder:PATH")
      .option("--split <name>", "its part (default: test; of a folder without one what it has: all, validation or train)")
      .option("--count <n>", "how many images", numberOption("--count", { whole: true, from: 1 }), 40)
      .option("--seed <n>", "which ones", numberOption("--seed", { whole: true, from: 0 }), 0)
      .option("--out <file>", "the PNG to write (default: NAME-SPLIT.png)"),
  ).action((name: string, options: ShowOptions) => showSamples(name, all(options)));
  const cache = createCommand("cache", "List what of pictures is decoded or computed and kept, with its size; or remove it.", [
    "fivecrop datasets cache",
    "fivecrop datasets cache --clear",
  ])
    .option("--clear", "remove it all: it is made anew where it is needed. For when no training runs")
    .action((options: CacheOptions) => showCache(all(options)));
  for (const sub of [list, info, fetch, show, cache]) command.addCommand(sub);
  return command.allowExcessArguments().action(() => {
    if (command.args.length === 0) command.outputHelp();
    else lookUp("command of datasets", { list, info, fetch, show, cache }, command.args[0]);
  });
}

type Found = { readonly images: Readonly<Record<string, number>> } | { readonly missing: string };

/** Images of each split, or why they cannot be read. */
async function look({ splits }: DatasetEntry, root: string): Promise<Found> {
  const images: Record<string, number> = {};
  try {
    for (const [split, open] of Object.entries(splits)) images[split] = (await open(root)).length;
    return { images };
  } catch (error) {
    if (error instanceof FivecropError) return { missing: error.message };
    throw error;
  }
}

const imagesText = (images: Readonly<Record<string, number>>): string =>
  Object.entries(images)
    .map(([split, number]) => `${count(number)} ${split}`)
    .join(", ");

async function listDatasets({ dataDir, json = undefined }: WithRoot): Promise<void> {
  const root = dataRoot(dataDir);
  const rows: string[][] = [];
  for (const [name, entry] of Object.entries<DatasetEntry>(DATASETS)) {
    const found = await look(entry, root);
    if (json) print(JSON.stringify({ name, summary: entry.summary, ...found }));
    else rows.push([name, "images" in found ? "there" : "–", entry.summary]);
  }
  if (json) return;
  for (const line of table(rows, { align: "l" })) print(line);
  print("");
  print("folder:PATH   a folder of yours: PATH/CLASS/PICTURE or PATH/{train,val,test}/CLASS/PICTURE");
  print(`In ${root}; to bring one there: ${PROGRAM} datasets fetch NAME`);
}

async function showInfo(given: string, { dataDir, json = undefined }: WithRoot): Promise<void> {
  const name = resolveName(given);
  const root = dataRoot(dataDir);
  const entry = await datasetEntry(name);
  const found = await look(entry, root);
  const { summary, defaultPreprocess, source } = entry;
  if (json) {
    print(JSON.stringify({ name, summary, defaultPreprocess, source, root, ...found }));
    return;
  }
  const dataset = "images" in found ? await entry.splits[evaluationSplit(entry)](root) : undefined;
  print(`${name}: ${summary}`);
  const rows = [
    ["here", "images" in found ? imagesText(found.images) : found.missing],
    ...(dataset
      ? [
          [
            "classes",
            `${dataset.classNames.length}: ${dataset.classNames.slice(0, 6).join(", ")}${dataset.classNames.length > 6 ? ", …" : ""}`,
          ],
        ]
      : []),
    ...(dataset?.notes ?? []).map((note) => ["note", note]),
    ["input", JSON.stringify(defaultPreprocess)],
    ...(source ? [["home", source.home]] : []),
    ...(source?.files ?? []).map(({ url, bytes: size, md5, sha256 }) => [
      "from",
      [
        url,
        size === undefined ? "size not published" : bytes(size),
        md5 ? `md5 ${md5}` : sha256 ? `sha256 ${sha256}` : "no hash published",
      ].join("  "),
    ]),
    ...(source && source.files.length === 0 ? [["from", "no official place: give it with --from"]] : []),
    ...(source?.note ? [["note", source.note]] : []),
  ];
  for (const line of table(rows, { align: "l", indent: 2 })) print(line);
}

interface FetchCommandOptions extends WithRoot {
  readonly from?: string;
}

async function fetchOne(name: string, { dataDir, from, json = undefined }: FetchCommandOptions): Promise<void> {
  const { fetchDataset } = await import("./datasets/fetch.ts");
  const progress = createProgressBar({ quiet: json === true });
  try {
    const fetched = await fetchDataset(name, {
      root: dataRoot(dataDir),
      from,
      onProgress: (what, done, total) =>
        progress.show(done, total ?? done, what, total ? `${bytes(done)} of ${bytes(total)}` : bytes(done)),
    });
    progress.end();
    if (json) print(JSON.stringify({ name, ...fetched }));
    else print(`${fetched.folder}: ${fetched.alreadyThere ? "is there already: " : ""}${imagesText(fetched.images)}`);
  } finally {
    progress.end();
  }
}

interface ShowOptions extends WithRoot {
  readonly split?: string;
  readonly count: number;
  readonly seed: number;
  readonly out?: string;
}

async function showSamples(given: string, { dataDir, count: most, seed, json = undefined, ...options }: ShowOptions): Promise<void> {
  const [{ sampleGrid }, { writeWhole }, { openDataset }] = await Promise.all([
    import("./datasets/sample-grid.ts"),
    import("../core/atomic-file.node.ts"),
    import("./datasets/index.ts"),
  ]);
  const name = resolveName(given);
  const split = options.split ?? evaluationSplit(await datasetEntry(name));
  const out = options.out ?? `${fileName(name)}-${split}.png`;
  if (!/\.png$/i.test(out)) throw new UsageError(`--out: expected the name of a PNG, such as samples.png, received '${out}'.`);
  const dataset = await openDataset({ name, root: dataRoot(dataDir), split });
  const { png, images, unreadable } = await sampleGrid(dataset, { count: most, seed });
  for (const message of unreadable) process.stderr.write(`fivecrop: left out: ${message}\n`);
  await writeWhole(out, png);
  if (json) print(JSON.stringify({ name, split, file: out, images, of: dataset.length, unreadable }));
  else print(`${out}: ${count(images)} of ${count(dataset.length)} images of ${split}`);
}

interface CacheOptions {
  readonly clear?: true;
  readonly json?: true;
}

async function showCache({ clear = undefined, json = undefined }: CacheOptions): Promise<void> {
  const entries = await cacheEntries();
  if (clear) for (const entry of entries) await removeEntry(entry);
  if (json) {
    for (const entry of entries) print(JSON.stringify({ ...entry, removed: clear === true }));
    return;
  }
  const rows = entries.map(({ kind, folder, bytes: size, files, written }) => [
    CACHES[kind],
    bytes(size),
    plural(files, "file"),
    written.slice(0, 10),
    folder,
  ]);
  for (const line of table(rows, { align: "lrrll" })) print(line);
  const all = bytes(entries.reduce((sum, entry) => sum + entry.bytes, 0));
  if (entries.length === 0) print(`Nothing is kept in ${cacheRoot()}.`);
  else if (clear) print(`${all} removed.`);
  else print(`${all} in all; to remove it, while nothing runs: ${PROGRAM} datasets cache --clear`);
}
