import onnxProto, { type onnx } from "onnx-proto";

const [FLOAT, INT64] = [1, 7];
const utf8 = new TextEncoder();

export type Dims = readonly (number | string)[];

export const port = (name: string, dims: Dims, elemType = FLOAT): onnx.IValueInfoProto => ({
  name,
  type: { tensorType: { elemType, shape: { dim: dims.map((d) => (typeof d === "number" ? { dimValue: d } : { dimParam: d })) } } },
});

/** Numbers that differ, from −1 to 1. */
export const sawtooth = (size: number, seed = 0): number[] =>
  Array.from({ length: size }, (_, i) => ((((i + 1) * (seed + 37)) % 101) - 50) / 50);

export const floats = (name: string, dims: number[], data = sawtooth(dims.reduce((a, b) => a * b, 1))): onnx.ITensorProto => ({
  name,
  dataType: FLOAT,
  dims,
  floatData: data,
});

export const ints = (name: string, data: number[], dims = [data.length]): onnx.ITensorProto => ({
  name,
  dataType: INT64,
  dims,
  int64Data: data,
});

type Given = Readonly<
  Record<string, number | string | readonly number[] | { readonly float: number } | { readonly floats: readonly number[] }>
>;

/** A node; a plain number is an int, and a float is said to be one. */
export const node = (opType: string, input: string[], output: string | string[], attributes: Given = {}): onnx.INodeProto => ({
  opType,
  input,
  output: [output].flat(),
  attribute: Object.entries(attributes).map(([name, value]): onnx.IAttributeProto => {
    if (typeof value === "number") return { name, type: 2, i: value };
    if (typeof value === "string") return { name, type: 3, s: utf8.encode(value) };
    if ("float" in value) return { name, type: 1, f: value.float };
    return "floats" in value ? { name, type: 6, floats: [...value.floats] } : { name, type: 7, ints: [...value] };
  }),
});

export interface FileOptions {
  readonly opset?: number;
  readonly input?: onnx.IValueInfoProto[];
  readonly output?: onnx.IValueInfoProto[];
  readonly initializer?: onnx.ITensorProto[];
}

/** A file of these nodes from x [N, 2, 4, 4] to y. */
export const onnxFile = (nodes: onnx.INodeProto[], { opset = 17, input, output, initializer = [] }: FileOptions = {}): Uint8Array =>
  onnxProto.onnx.ModelProto.encode({
    irVersion: opset < 9 ? 3 : 8,
    opsetImport: [{ domain: "", version: opset }],
    graph: {
      name: "hand",
      // before the file's fourth version initializers are listed among the inputs
      input: [
        ...(input ?? [port("x", ["N", 2, 4, 4])]),
        ...(opset < 9 ? initializer.map((t) => port(t.name ?? "", (t.dims ?? []).map(Number), t.dataType ?? FLOAT)) : []),
      ],
      output: output ?? [{ name: "y", type: { tensorType: { elemType: FLOAT } } }],
      initializer,
      node: nodes,
    },
  }).finish();
