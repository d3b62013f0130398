import { type Command, Option } from "commander";
import { createCommand, numberOption, print } from "../core/command-line.node.ts";
import { namingFile, UsageError } from "../core/errors.ts";
import { readModel } from "../core/read-file.node.ts";
import { bytes, count, percent, plural, table } from "../core/text.ts";
import { type ModelMetadata, readMetadata } from "../export/metadata.ts";
import { ARCHITECTURES, createNetwork, type NetworkOptions } from "./architectures/index.ts";
import { type GraphSummary, summarize } from "./graph/summary.ts";
import { headOf, parseHead, parseInput } from "./network-options.ts";

interface Inspected extends GraphSummary {
  readonly file?: string;
  readonly bytes?: number;
  readonly metadata?: ModelMetadata;
}

/** `inspect`: what a model consists of. */
export function inspectCommand(): Command {
  return createCommand("inspect", "Show every node of a model with its output shape and parameters, the totals, and its metadata card.", [
    "fivecrop inspect runs/fashion/model.onnx",
    "fivecrop inspect --model fashion-cnn",
    "fivecrop inspect --model densenet169 --classes 102 --input 3x128x128 --head 512,256",
  ])
    .argument("[file]", "an ONNX file")
    .option("--model <name>", `a network instead, as it is trained: ${Object.keys(ARCHITECTURES).join(", ")}`)
    .addOption(
      new Option("--classes <n>", "of the network: how many classes (default: its own)").argParser(
        numberOption("--classes", { whole: true, from: 1 }),
      ),
    )
    .addOption(new Option("--input <CxHxW>", "of the network: the image it takes (default: its own)").argParser(parseInput))
    .addOption(
      new Option("--head <units>", "of the network: hidden layers in place of its own, such as 512,256, or none").argParser(parseHead),
    )
    .addOption(
      new Option("--dropout <share>", "behind each hidden layer of --head (default: none)").argParser(
        numberOption("--dropout", { from: 0, below: 1 }),
      ),
    )
    .action(async (file: string | undefined, { model, json, ...shape }: InspectOptions) => {
      if ((file === undefined) === (model === undefined))
        throw new UsageError(`inspect: expected either an ONNX file or --model NAME, received ${file === undefined ? "neither" : "both"}.`);
      const [foreign] = Object.keys(shape).filter((option) => option !== "debug");
      if (file !== undefined && foreign) throw new UsageError(`--${foreign}: it belongs to --model; a file is shown as it is.`);
      const inspected = model === undefined ? await inspectFile(file!) : inspectNetwork(model, shape);
      if (json) print(JSON.stringify(inspected));
      else for (const line of inspectionLines(inspected)) print(line);
    });
}

interface InspectOptions extends Pick<NetworkOptions, "classes" | "input"> {
  readonly model?: string;
  readonly head?: readonly number[];
  readonly dropout?: number;
  readonly json?: true;
}

function inspectNetwork(model: string, { classes, input, head, dropout }: InspectOptions): Inspected {
  const { graph, parameters } = createNetwork(model, { classes, input, ...headOf(head, dropout) });
  return summarize(graph, parameters.keys());
}

async function inspectFile(file: string): Promise<Inspected> {
  const content = await readModel(file);
  if (isSelfContained(content))
    throw new UsageError(
      `${file} is self-contained: its preprocessing is written in operators that are not read here. To fix: inspect the file it was made of.`,
    );
  const { parse } = await import("../export/parse.ts");
  const summary = summarize(parse(content, file));
  const metadata = namingFile(file, () => readMetadata(content));
  return { file, bytes: content.length, ...summary, metadata };
}

/** False where its metadata cannot be read: what is wrong with that is said after its graph was. */
function isSelfContained(content: Uint8Array): boolean {
  try {
    return readMetadata(content)?.selfContained ?? false;
  } catch {
    return false;
  }
}

function inspectionLines({ file, bytes: size, name, inputs, outputs, nodes, parameters, constants, metadata }: Inspected): string[] {
  const rows = nodes.map((node) => [node.name, node.op, node.outputs.join(", "), node.parameters ? count(node.parameters) : ""]);
  return [
    file === undefined ? `${name}, as it is trained` : `${file}: graph '${name}', ${bytes(size!)}`,
    ...table([...inputs.map((port) => ["input", port]), ...outputs.map((port) => ["output", port])], { align: "l", indent: 2, gap: 2 }),
    "",
    ...table([["node", "operator", "output", "parameters"], ...rows], { align: "lllr" }),
    "",
    `${plural(nodes.length, "node")}, ${plural(parameters, "parameter")}${constants ? `, and ${count(constants)} fixed numbers (running statistics, constants)` : ""}`,
    ...(file === undefined
      ? []
      : [
          "",
          ...(metadata
            ? cardLines(metadata)
            : ["It carries no fivecrop metadata: infer needs --labels and --preprocess or --preset; adopt writes them into a copy."]),
        ]),
  ];
}

const [LABEL_WIDTH, LABEL_ROWS] = [54, 4];

/** Names, comma by comma, in short rows; of many the first. */
function labelRows(labels: readonly string[]): string[] {
  const rows: string[] = [];
  for (const [i, label] of labels.entries()) {
    const word = i === labels.length - 1 ? label : `${label},`;
    const last = rows.at(-1);
    if (last !== undefined && last.length + word.length < LABEL_WIDTH) rows[rows.length - 1] = `${last} ${word}`;
    else if (rows.length === LABEL_ROWS) return [...rows.slice(0, -1), `${last} …`];
    else rows.push(word);
  }
  return rows;
}

/** The card of metadata, a line a field. */
function cardLines({
  labels,
  preprocess,
  views,
  outputKind,
  temperature,
  architecture,
  training,
  createdBy,
  created,
  samples,
}: ModelMetadata): string[] {
  const { resize, filter, crop, channels, mean, std } = preprocess;
  const resized = resize === null ? "as it is" : typeof resize === "number" ? `shorter side to ${resize}` : `to ${resize[1]}×${resize[0]}`;
  const { arguments: asked = {}, metrics = {}, dataset, bestEpoch, epochs, engine } = training ?? {};
  const shown = (value: unknown) => (typeof value === "object" ? JSON.stringify(value) : String(value));
  const fields: readonly (readonly [string, string | undefined])[] = [
    ["labels", String(labels.length)],
    ...labelRows(labels).map((row) => ["", row] as const),
    ["resize", `${resized}, ${filter}`],
    ["crop", `${crop[1]}×${crop[0]}, ${channels === 1 ? "gray" : "colour"}`],
    ["normalize", `mean ${mean.join(", ")}; std ${std.join(", ")}`],
    ["views", views],
    ["output", outputKind],
    ["temperature", temperature?.toFixed(4)],
    ["architecture", architecture],
    ["trained on", dataset && `${dataset}${engine ? `, by ${engine}` : ""}`],
    ["epoch", bestEpoch === undefined ? undefined : `${bestEpoch} of ${epochs}`],
    ...Object.entries(metrics).map(([metric, value]) => [metric, metric.endsWith("Accuracy") ? percent(value) : value.toFixed(4)] as const),
    ...Object.entries(asked)
      .filter(([option]) => !["model", "data", "epochs"].includes(option))
      .map(([option, value]) => [option, shown(value)] as const),
    ["golden samples", samples && `${samples.samples.map(({ name }) => name).join(", ")}; ${samples.views}`],
    ["created", [created, createdBy && `by ${createdBy}`].filter(Boolean).join(" ") || undefined],
  ];
  const known = fields.filter((field): field is readonly [string, string] => Boolean(field[1]));
  return ["metadata", ...table(known, { align: "l", indent: 2 })];
}
