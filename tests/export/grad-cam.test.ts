import { readFileSync } from "node:fs";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { createSession } from "../../core/session.node.ts";
import { float32, type Tensor, zeros } from "../../core/tensor.ts";
import { setWeights } from "../../export/export-onnx.ts";
import { type GradCamOptions, gradCam, withHeatMap } from "../../export/grad-cam.ts";
import { appendMetadata, readMetadata } from "../../export/metadata.ts";
import { parse } from "../../export/parse.ts";
import { foldBatchNorm } from "../../export/passes/fold-batch-norm.ts";
import { serialize } from "../../export/serialize.ts";
import type { Dimension, Graph } from "../../models/graph/graph.ts";
import { summarize } from "../../models/graph/summary.ts";
import { graphBuilder } from "../../models/ops/index.ts";
import { PRETRAINED } from "../../models/pretrained.node.ts";
import { model as linear, metadata } from "../inference/models.ts";
import { goldenNetwork, goldenParameters, hashed, readGolden } from "../training/golden.ts";
import { needPeers, runPython } from "./peers.ts";

type Maps = readonly (readonly (readonly number[])[])[];
interface Golden {
  readonly class: number;
  readonly nets: Readonly<Record<string, Readonly<Record<string, { readonly top: Maps; readonly class: Maps }>>>>;
}
/** The last map of features of each, by the rule. */
const LAST: Readonly<Record<string, string>> = { "fashion-cnn": "pool3", "mini-resnet": "backbone.6", "lenet-bn": "7" };
const GOLDEN: Golden = JSON.parse(readFileSync(new URL("../golden/grad-cam.json", import.meta.url), "utf8"));

async function heatMaps(graph: Graph, images: Tensor, options: GradCamOptions, chosen = 0): Promise<Tensor> {
  const { graph: explained, target } = gradCam(graph, options);
  const session = await createSession(serialize(explained));
  const classes = Number(explained.outputs[0].shape[1]);
  const one = zeros("float32", [images.shape[0], classes]);
  for (let i = 0; i < images.shape[0]; i++) one.data[i * classes + chosen] = 1;
  const { heat_map } = await session.run({ [session.inputs[0].name]: images, ...(target !== undefined && { [target]: one }) });
  await session.dispose();
  return heat_map;
}

const numbers = ({ data }: Tensor): number[] => Array.from(data as Float32Array);

function largestDifference(found: Tensor, expected: Maps): number {
  const data = numbers(found);
  const flat = expected.flat(2);
  expect(data.length).toBe(flat.length);
  return Math.max(...flat.map((value, i) => Math.abs(value - data[i])));
}

function goldenCase(name: string) {
  const golden = readGolden(name);
  const network = goldenNetwork(golden);
  const graph = setWeights(network.graph, goldenParameters(golden, network));
  const shape = [2, ...golden.input.slice(1)];
  const images = float32(
    hashed(
      1000,
      shape.reduce((a, b) => a * b, 1),
    ),
    shape,
  );
  return { graph, images };
}

describe.each(Object.entries(GOLDEN.nets))("Grad-CAM of %s is PyTorch's", (name, layers) => {
  const { graph, images } = goldenCase(name);
  const last = LAST[name];

  test.each(Object.entries(layers))("at %s", async (layer, { top, class: chosen }) => {
    expect(largestDifference(await heatMaps(graph, images, { layer }), top)).toBeLessThan(1e-4);
    if (layer === last)
      expect(largestDifference(await heatMaps(graph, images, { layer, target: "fed" }, GOLDEN.class), chosen)).toBeLessThan(1e-4);
  });

  test(`${last} is the last map of features`, async () => {
    expect(gradCam(graph).layer).toBe(last);
    expect(gradCam(graph, { target: "fed" }).target).toBe("target");
  });

  test("batch norms may be folded, and the number of images is free", async () => {
    const folded = foldBatchNorm(graph);
    const found = await heatMaps(folded, images, {});
    expect(largestDifference(found, layers[last].top)).toBeLessThan(1e-4);
    const one = await heatMaps(
      folded,
      { ...images, shape: [1, ...images.shape.slice(1)], data: images.data.slice(0, images.data.length / 2) } as Tensor,
      {},
    );
    expect(largestDifference(one, layers[last].top.slice(0, 1))).toBeLessThan(1e-4);
  });
});

describe("a graph that explains itself", () => {
  test("keeps its first output and its metadata, and its heat map is of [0, 1]", async () => {
    const { graph, images } = goldenCase("fashion-cnn");
    const labels = Array.from({ length: 10 }, (_, i) => `class ${i}`);
    const preprocess = { ...metadata.preprocess, resize: [28, 28], crop: [28, 28] } as const;
    const model = appendMetadata(serialize(graph), { ...metadata, labels, preprocess });
    const { model: explained, layer } = withHeatMap(model, { name: "m.onnx" });
    expect(layer).toBe("pool3");
    expect(readMetadata(explained)).toEqual(readMetadata(model));
    expect(summarize(parse(explained)).outputs).toEqual(["fc: float32[N,10]", "heat_map: float32[N,3,3]"]);
    const [plain, both] = await Promise.all([createSession(model), createSession(explained)]);
    const [{ fc }, answer] = [await plain.run({ images }), await both.run({ images })];
    await Promise.all([plain.dispose(), both.dispose()]);
    expect(numbers(answer.fc)).toEqual(numbers(fc));
    const heat = numbers(answer.heat_map);
    expect(Math.min(...heat)).toBeGreaterThanOrEqual(0);
    expect(Math.max(...heat)).toBeCloseTo(1, 6);
    expect(() => withHeatMap(explained, { name: "m.onnx" })).toThrow(
      "m.onnx: expected one output, to which the heat map is added, found 2: fc, heat_map.",
    );
  });

  test("SqueezeNet is looked at where its class maps are: they are its Grad-CAM", async () => {
    const graph = parse(await readFile(PRETRAINED["squeezenet1.1-imagenet"]));
    expect(gradCam(graph).layer).toBe("relu25");
    const images = float32(hashed(5, 2 * 3 * 224 * 224), [2, 3, 224, 224]);
    const chosen = 281;
    const found = await heatMaps(graph, images, { target: "fed" }, chosen);
    const session = await createSession(serialize({ ...graph, outputs: [graph.nodes.find(({ name }) => name === "relu25")!.outputs[0]] }));
    const { relu25 } = await session.run({ [graph.inputs[0].name]: images });
    await session.dispose();
    const pixels = 13 * 13;
    for (const i of [0, 1]) {
      const map = Array.from(relu25.data as Float32Array).slice((i * 1000 + chosen) * pixels, (i * 1000 + chosen + 1) * pixels);
      const most = Math.max(...map);
      map.forEach((value, p) => {
        expect(Math.abs((found.data[i * pixels + p] as number) - (most > 0 ? value / most : 0))).toBeLessThan(1e-5);
      });
    }
  });

  test("a map without anything for the class is 0, not a division by it", async () => {
    const found = await heatMaps(small("N", -1), float32(hashed(1, 2 * 16), [2, 1, 4, 4]), { target: "fed" });
    expect(numbers(found)).toEqual(Array(2 * 16).fill(0));
  });

  test("a softmax at the end is looked through, and a fixed batch stays", async () => {
    for (const op of ["Softmax", "LogSoftmax"]) {
      const images = float32(hashed(1, 3 * 16), [3, 1, 4, 4]);
      const [logits, after] = [small(3), small(3, 1, op)];
      const expected = await heatMaps(logits, images, {});
      expect(expected.shape).toEqual([3, 4, 4]);
      expect(numbers(await heatMaps(after, images, {}))).toEqual(numbers(expected));
    }
  });

  test("of equal classes the first is explained", async () => {
    const images = float32(hashed(2, 16), [1, 1, 4, 4]);
    const tied = small("N", 0);
    expect(numbers(await heatMaps(tied, images, {}))).toEqual(numbers(await heatMaps(tied, images, { target: "fed" }, 0)));
  });
});

/** A convolution that keeps the picture, its mean, and two logits of it: mean · weight and −mean · weight, or their softmax. */
function small(batch: Dimension, weight = 1, last?: string): Graph {
  const g = graphBuilder();
  const images = g.input("images", "float32", [batch, 1, 4, 4]);
  const conv = g.add(
    "Relu",
    [g.add("Conv", [images, g.initializer("w", float32([1], [1, 1, 1, 1]))], { kernel_shape: [1, 1] }, "conv")],
    {},
    "relu",
  );
  const fc = g.add(
    "Gemm",
    [g.add("Flatten", [g.add("GlobalAveragePool", [conv])]), g.initializer("fc.w", float32([weight, -weight], [1, 2]))],
    {},
    "fc",
  );
  return g.build("small", [last ? g.add(last, [fc], {}, "last") : fc]);
}

describe("what cannot be explained is refused", () => {
  test("a model without a map of features", () => {
    expect(() => gradCam(parse(linear()), { name: "halves.onnx" })).toThrow(
      "halves.onnx: expected a map of features [N, C, h, w] with more than one pixel, made by a convolution or a pool, found none",
    );
  });

  test("a layer that is none", () => {
    const { graph } = goldenCase("fashion-cnn");
    expect(() => gradCam(graph, { layer: "pol2", name: "m" })).toThrow("m: layer: there is no node 'pol2'. The nearest names are 'pool2'");
    expect(() => gradCam(graph, { layer: "fc", name: "m" })).toThrow("layer 'fc' is float32[N,10], expected a map of features");
  });

  test("an operator without gradient, by its node", () => {
    const g = graphBuilder();
    const images = g.input("images", "float32", ["N", 1, 4, 4]);
    const conv = g.add("Conv", [images, g.initializer("w", float32([1], [1, 1, 1, 1]))], { kernel_shape: [1, 1] }, "conv");
    const running = g.add(
      "CumSum",
      [g.add("Flatten", [conv]), g.initializer("axis", { dtype: "int64", shape: [], data: BigInt64Array.of(1n) })],
      {},
      "running",
    );
    expect(() => gradCam(g.build("g", [running]), { name: "m" })).toThrow("m: Grad-CAM at 'conv': node 'running' (CumSum) has no gradient");
  });

  test("a self-contained file", () => {
    const model = appendMetadata(linear(), { ...metadata, selfContained: true });
    expect(() => withHeatMap(model, { name: "whole.onnx" })).toThrow("whole.onnx is self-contained");
  });
});

const TORCH = `
import json, sys, warnings
warnings.filterwarnings("ignore")
import torch
from torch import nn
torch.manual_seed(0)
net = nn.Sequential(
    nn.Conv2d(3, 8, 3, stride=2, padding=1), nn.ReLU(), nn.MaxPool2d(3, 2, 1, ceil_mode=True),
    nn.Conv2d(8, 8, 3, groups=4, dilation=2, padding=2), nn.Sigmoid(), nn.AvgPool2d(3, 2, 1, count_include_pad=False),
    nn.Conv2d(8, 12, 2, bias=False), nn.ReLU(), nn.Conv2d(12, 12, (3, 1), padding=(1, 0)), nn.Tanh(), nn.MaxPool2d(2, 1),
    nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(12, 9), nn.ReLU(), nn.Linear(9, 5), nn.LogSoftmax(1)).eval()
x = torch.rand(3, 3, 30, 26)
torch.onnx.export(net, x, sys.argv[1], dynamo=False, input_names=["images"], output_names=["answer"], dynamic_axes={"images": {0: "n"}}, opset_version=17)
found = {}
for i, op in {0: "Conv", 2: "MaxPool", 4: "Sigmoid", 5: "AveragePool", 7: "Relu", 9: "Tanh", 10: "MaxPool"}.items():
    a = net[: i + 1](x).detach().requires_grad_()
    logits = net[i + 1 : -1](a)
    (gradient,) = torch.autograd.grad(logits.max(1).values.sum(), a)
    cam = (gradient.mean((2, 3), keepdim=True) * a).sum(1).relu()
    found[f"/{i}/{op}"] = (cam / cam.amax((1, 2), keepdim=True).clamp(min=1e-38)).tolist()
print(json.dumps({"images": x.flatten().tolist(), "maps": found}))
`;

test.skipIf(!needPeers("Grad-CAM beside PyTorch's on a network that PyTorch exported"))(
  "PyTorch's own Grad-CAM, on a network that it exported",
  async () => {
    const folder = await mkdtemp(join(tmpdir(), "grad-cam-"));
    try {
      const file = join(folder, "net.onnx");
      const { images, maps }: { images: number[]; maps: Record<string, Maps> } = JSON.parse(
        runPython(TORCH, file).trim().split("\n").at(-1)!,
      );
      const graph = parse(await readFile(file), file);
      for (const [layer, expected] of Object.entries(maps))
        expect(largestDifference(await heatMaps(graph, float32(images, [3, 3, 30, 26]), { layer }), expected), layer).toBeLessThan(1e-4);
      expect(gradCam(graph).layer).toBe(graph.nodes.find(({ name }) => name === "/10/MaxPool")!.outputs[0].name);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  },
);
