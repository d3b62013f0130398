import { FivecropError, messageOf } from "../core/errors.ts";
import { concatenate, encodeField, type Field, fieldsOf } from "../core/protobuf.ts";
import { type PreprocessSpec, validatePreprocess } from "../pipeline/preprocess.ts";
import { parseViews } from "../pipeline/views.ts";
import { type GoldenSamples, isGoldenSamples } from "./golden-samples.ts";

/** What a network's last layer may give for each class. */
export const OUTPUT_KINDS = ["logits", "probabilities", "log-probabilities"] as const;
export type OutputKind = (typeof OUTPUT_KINDS)[number];

/** How the weights were found. */
export interface TrainingRecord {
  /** Everything that the run was asked for: model, data set, optimizer, schedule, … */
  readonly arguments?: Readonly<Record<string, unknown>>;
  readonly recipe?: string;
  readonly dataset?: string;
  readonly seed?: number;
  readonly epochs?: number;
  /** The epoch, from 1, whose weights these are. */
  readonly bestEpoch?: number;
  /** For example validationAccuracy, of [0, 1]. */
  readonly metrics?: Readonly<Record<string, number>>;
  readonly engine?: string;
  /** What trained it: package or program, and its version. */
  readonly versions?: Readonly<Record<string, string>>;
}

/** What a consumer of a model file must know besides its graph; plain JSON. */
export interface ModelMetadata {
  /** The class of each column of the output. */
  readonly labels: readonly string[];
  readonly preprocess: PreprocessSpec;
  /** The views to average over where the caller names none, as parseViews understands them. */
  readonly views?: string;
  readonly outputKind: OutputKind;
  /** T: probabilities are softmax(logits / T), or softmax(log-probabilities / T), which is the same, each view's, before they are averaged. 1 where it is absent. */
  readonly temperature?: number;
  readonly architecture?: string;
  /** How many numbers were learned. */
  readonly parameters?: number;
  readonly training?: TrainingRecord;
  /** Name and version of the writer: "fivecrop 0.1.0". */
  readonly createdBy?: string;
  /** ISO 8601. */
  readonly created?: string;
  /** The graph takes whole pictures and averages over `views`: `preprocess` says what it does, and is not to be done again. */
  readonly selfContained?: boolean;
  /** Pictures and what the model answered for them: `verify` replays them. */
  readonly samples?: GoldenSamples;
}

const PREFIX = "fivecrop.";
const VERSION_KEY = `${PREFIX}metadata`;
const VERSION = "1";
/** Field numbers of ModelProto and of its entries. */
const [GRAPH, METADATA_PROPS] = [7, 14];
const [KEY, VALUE] = [1, 2];

const isText = (value: unknown): boolean => typeof value === "string" && value.length > 0;
const isObject = (value: unknown): boolean => typeof value === "object" && value !== null && !Array.isArray(value);
const optional = (test: (value: unknown) => boolean) => (value: unknown) => value === undefined || test(value);

function isPreprocess(value: unknown): boolean {
  try {
    return Boolean(validatePreprocess(value));
  } catch (cause) {
    throw new FivecropError(`metadata: ${messageOf(cause)}`, { cause });
  }
}

function isViews(value: unknown): boolean {
  try {
    return typeof value === "string" && parseViews(value).length > 0;
  } catch {
    return false; // said with what was found, as of every field
  }
}

const isOutputKind = (value: unknown): boolean => OUTPUT_KINDS.includes(value as OutputKind);

/** For every field: what it must be, in words and as a test. */
const FIELDS: { readonly [F in keyof ModelMetadata]-?: readonly [expected: string, test: (value: unknown) => boolean] } = {
  labels: [
    "a list of names, at least one",
    (value) => Array.isArray(value) && value.length > 0 && value.every((label) => typeof label === "string"),
  ],
  preprocess: ["a preprocessing spec", isPreprocess],
  views: ["views, such as none or five-crop", optional(isViews)],
  outputKind: ['"logits", "probabilities" or "log-probabilities"', isOutputKind],
  temperature: ["a number above 0", optional((value) => Number.isFinite(value) && (value as number) > 0)],
  architecture: ["a name", optional(isText)],
  parameters: ["a whole number", optional((value) => Number.isInteger(value) && (value as number) >= 0)],
  training: ["an object", optional(isObject)],
  createdBy: ["a name and a version", optional(isText)],
  created: ["a date in ISO 8601", optional((value) => isText(value) && !Number.isNaN(Date.parse(value as string)))],
  selfContained: ["true or false", optional((value) => typeof value === "boolean")],
  samples: ["golden samples", optional(isGoldenSamples)],
};

/** @throws FivecropError that names the field, what was expected and what was found. */
function validateMetadata(fields: Readonly<Record<string, unknown>>): ModelMetadata {
  const known = Object.entries(FIELDS).flatMap(([name, [expected, test]]) => {
    const value = fields[name];
    if (!test(value))
      throw new FivecropError(
        `metadata: ${PREFIX}${name}: expected ${expected}, found ${(JSON.stringify(value) ?? "nothing").slice(0, 200)}`,
      );
    return value === undefined ? [] : [[name, value]];
  });
  const metadata = Object.fromEntries(known) as unknown as ModelMetadata;
  if (!metadata.selfContained) checkTemperature(metadata, "metadata");
  return metadata;
}

/** @throws FivecropError where there is a temperature and nothing that it could divide. */
export function checkTemperature({ temperature = 1, outputKind }: Pick<ModelMetadata, "temperature" | "outputKind">, name: string): void {
  if (temperature !== 1 && outputKind === "probabilities")
    throw new FivecropError(
      `${name}: a temperature (${temperature}) divides logits or log-probabilities, and this output is ${outputKind}. To fix: export the model with logits as its output.`,
    );
}

const utf8 = new TextEncoder();

/**
 * The model file with this metadata, as metadata_props under "fivecrop.…", a JSON text for each field. Earlier metadata of ours is replaced;
 * all other bytes stay as they are, so a foreign graph keeps even what we cannot read.
 * @throws FivecropError where a field is wrong, or the bytes are no ONNX model.
 */
export function appendMetadata(model: Uint8Array, metadata: ModelMetadata): Uint8Array {
  const fields = validateMetadata(metadata as unknown as Readonly<Record<string, unknown>>);
  const entries = [[VERSION_KEY, VERSION], ...Object.entries(fields).map(([name, value]) => [PREFIX + name, JSON.stringify(value)])];
  const kept = Array.from(fieldsOf(model))
    .filter((field) => field.number !== METADATA_PROPS || !entryOf(model.subarray(field.content, field.end))[0].startsWith(PREFIX))
    .map((field) => model.subarray(field.start, field.end));
  const added = entries.map(([key, value]) =>
    encodeField(METADATA_PROPS, concatenate([encodeField(KEY, utf8.encode(key)), encodeField(VALUE, utf8.encode(value))])),
  );
  return concatenate([...kept, ...added]);
}

/** Ends the message where a file is no model. */
export const NAME_A_MODEL = "To fix: name an .onnx file that is there to its end.";

/**
 * The metadata of a model file; `undefined` where it has none of ours. Needs no protobuf library and copies no weights.
 * @throws FivecropError where the bytes are no ONNX model, or the metadata is malformed or of a newer version.
 */
export function readMetadata(model: Uint8Array): ModelMetadata | undefined {
  const fields = topFields(model);
  if (!fields.some(({ number }) => number === GRAPH))
    throw new FivecropError(`no ONNX model: expected a graph, found none in its ${model.length} bytes. ${NAME_A_MODEL}`);
  const entries = fields
    .filter(({ number }) => number === METADATA_PROPS)
    .map(({ content, end }) => entryOf(model.subarray(content, end)))
    .filter(([key]) => key.startsWith(PREFIX));
  const version = entries.find(([key]) => key === VERSION_KEY)?.[1];
  if (entries.length === 0) return undefined;
  if (version !== VERSION)
    throw new FivecropError(
      `metadata: expected version ${VERSION}, found ${version ?? "none"}. To fix: use the version of fivecrop that wrote the file, or a newer one.`,
    );
  const ours = entries
    .filter(([key]) => key !== VERSION_KEY && Object.hasOwn(FIELDS, key.slice(PREFIX.length)))
    .map(([key, text]) => [key.slice(PREFIX.length), parseJson(key, text)]);
  return validateMetadata(Object.fromEntries(ours));
}

function topFields(model: Uint8Array): readonly Field[] {
  try {
    return Array.from(fieldsOf(model));
  } catch (cause) {
    throw new FivecropError(
      `no ONNX model: expected a graph, found ${model.length} bytes of something else (${messageOf(cause)}). ${NAME_A_MODEL}`,
      { cause },
    );
  }
}

/** A StringStringEntryProto. */
export function entryOf(bytes: Uint8Array): readonly [key: string, value: string] {
  const texts = new Map(
    Array.from(fieldsOf(bytes), ({ number, content, end }) => [number, new TextDecoder().decode(bytes.subarray(content, end))]),
  );
  return [texts.get(KEY) ?? "", texts.get(VALUE) ?? ""];
}

function parseJson(key: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new FivecropError(`metadata: ${key}: expected JSON, found '${text.slice(0, 40)}' (${messageOf(cause)})`, { cause });
  }
}
