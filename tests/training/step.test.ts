import { describe, expect, test } from "vitest";
import { createSession } from "../../core/session.node.ts";
import { float32 } from "../../core/tensor.ts";
import { readMetadata } from "../../export/metadata.ts";
import { createNetwork } from "../../models/architectures/index.ts";
import { print } from "../../models/graph/print.ts";
import { batchNorm, conv2d, dropout, flatten, type Layer, linear, maxPool2d, relu, sequential } from "../../models/layers/index.ts";
import { network } from "../../models/network.ts";
import { graphBuilder, OPS } from "../../models/ops/index.ts";
import type { PreprocessSpec } from "../../pipeline/preprocess.ts";
import { createOnnxRuntimeEngine } from "../../training/engines/onnxruntime.ts";
import { noiseAt } from "../../training/engines/variables.ts";
import { trainedModel } from "../../training/export-trained.ts";
import { sgd } from "../../training/optimizers.ts";
import { compileStep, writeStep } from "../../training/step/index.ts";
import { poolBeforeRelu } from "../../training/step/pool-before-relu.ts";
import { prune } from "../../training/step/prune.ts";
import { ARCHITECTURE_NAMES } from "../models/small.ts";
import { batchOf } from "./batch-of.ts";

const ops = (graph: { readonly nodes: readonly { readonly op: string }[] }): string[] => graph.nodes.map(({ op }) => op);
const tiny = (layers: readonly Layer[]) => network("tiny", sequential(layers), { input: [1, 6, 6] });

describe("printed graphs", () => {
  test.each(ARCHITECTURE_NAMES)("%s: forward", async (name) => {
    await expect(print(createNetwork(name).graph, OPS)).toMatchFileSnapshot(`../golden/graphs/${name}.txt`);
  });

  test("fashion-cnn: a training step, as it is written and as it is lowered", async () => {
    const net = createNetwork("fashion-cnn");
    await expect(print(writeStep(net, 60, sgd({ momentum: 0.9 })).graph, OPS)).toMatchFileSnapshot("../golden/graphs/fashion-cnn.step.txt");
    await expect(print(compileStep(net, 60, sgd({ momentum: 0.9 })).graph, OPS)).toMatchFileSnapshot(
      "../golden/graphs/fashion-cnn.lowered.txt",
    );
  });
});

describe("the compiled step", () => {
  test.each(ARCHITECTURE_NAMES)("%s has ONNX operators only, and convolves the whole batch at once", (name) => {
    const { graph } = compileStep(createNetwork(name), 4, sgd());
    for (const { op } of graph.nodes) expect(OPS[op as keyof typeof OPS].sinceOpset, op).toBeDefined();
    const convolutions = graph.nodes.filter(({ op }) => op === "Conv");
    expect(convolutions.length).toBeGreaterThan(0);
    expect(convolutions.every(({ inputs: [x] }) => x!.shape.length === 5)).toBe(true);
    expect(prune(graph).nodes).toHaveLength(graph.nodes.length);
  });

  test("a smaller last batch takes the same variables, and a third size works as well", async () => {
    const net = tiny([flatten, linear(3)]);
    const engine = createOnnxRuntimeEngine({ network: net, optimizer: sgd(), createSession });
    await engine.initialize({ seed: 1 });
    for (const count of [4, 3, 2, 4]) {
      const [{ logits, loss }] = await engine.train([batchOf(count, [1, 6, 6], 3)], [0.1]);
      expect(logits.shape).toEqual([count, 3]);
      expect(loss).toBeGreaterThan(0);
    }
    expect((await engine.state()).step).toBe(4);
    await engine.dispose();
  });

  test("predict answers any number of images as it does one by one", async () => {
    const engine = createOnnxRuntimeEngine({ network: createNetwork("fashion-cnn"), optimizer: sgd(), createSession });
    await engine.initialize({ seed: 1 });
    const { images } = batchOf(5, [1, 28, 28], 10);
    const together = await engine.predict(images);
    const few = await engine.predict(float32(images.data.subarray(0, 2 * 784), [2, 1, 28, 28]));
    await engine.dispose();
    expect(together.shape).toEqual([5, 10]);
    few.data.forEach((value, i) => {
      expect(value).toBeCloseTo(together.data[i], 5);
    });
  });

  test("a state of another network or optimizer is refused by name", async () => {
    const source = createOnnxRuntimeEngine({ network: tiny([flatten, linear(3)]), optimizer: sgd(), createSession });
    await source.initialize({ seed: 1 });
    const state = await source.state();
    const other = createOnnxRuntimeEngine({ network: tiny([flatten, linear(4)]), optimizer: sgd(), createSession });
    await expect(other.initialize(state)).rejects.toThrow(/not of network 'tiny'.*'1\.weight': expected \[4,36\], received \[3,36\]/);
    const withMomentum = createOnnxRuntimeEngine({ network: tiny([flatten, linear(3)]), optimizer: sgd({ momentum: 0.9 }), createSession });
    await expect(withMomentum.initialize(state)).rejects.toThrow(/of its slots, '1\.weight\/velocity' is missing/);
  });
});

describe("networks that cannot be trained as they are", () => {
  test("a batch norm over one value is refused by name", () => {
    expect(() => writeStep(tiny([flatten, linear(4), batchNorm, linear(2)]), 1, sgd())).toThrow(
      "node '2' (BatchNormalization) would normalize over one value: its input is [1,4]",
    );
  });

  test("two weights of one name, and numbers as names, are refused", () => {
    const twice: Layer = (x, scope) => linear(2)(linear(2)(flatten(x, scope.child("flat")), scope.child("a")), scope.child("a"));
    expect(() => network("twice", twice, { input: [1, 6, 6] })).toThrow("two weights have the name 'a.weight'");
    expect(() => sequential({ flatten, 0: linear(2) })).toThrow("the name '0' is a number, which JavaScript moves to the front");
  });
});

describe("a network that ends in softmax", () => {
  test("trains on its logits, and its file says that it gives probabilities", async () => {
    const softmax: Layer = (x, scope) => scope.graph.add("Softmax", [x], { axis: 1 }, scope.path);
    const net = tiny([flatten, linear(2), softmax]);
    const engine = createOnnxRuntimeEngine({ network: net, optimizer: sgd(), createSession });
    await engine.initialize({ seed: 1 });
    const { images } = batchOf(1, [1, 6, 6], 2);
    const [a, b] = (await engine.predict(images)).data;
    const preprocess: PreprocessSpec = { resize: null, filter: "bilinear", crop: [6, 6], channels: 1, mean: [0], std: [1] };
    const bytes = trainedModel(net, await engine.state(), { labels: ["a", "b"], preprocess });
    await engine.dispose();
    expect(readMetadata(bytes)!.outputKind).toBe("probabilities");
    const session = await createSession(bytes);
    const [output] = Object.values(await session.run({ images }));
    await session.dispose();
    expect(Number(output.data[0])).toBeCloseTo(1 / (1 + Math.exp(b - a)), 6);
    expect(() => trainedModel(net, { step: 0, seed: 0, parameters: {}, slots: {}, state: {} }, { labels: ["a"], preprocess })).toThrow(
      "export: 'tiny' has 2 outputs, and there are 1 labels",
    );
  });
});

describe("dropout", () => {
  test("drops about its ratio, scales the rest, and draws anew for each step from the seed", async () => {
    const shape = [64, 512];
    const noise = noiseAt(7, 0, "drop", shape);
    expect(noise.data.every((u) => u >= 0 && u < 1 && Number.isInteger(u * 2 ** 24))).toBe(true);
    expect(noise.data.filter((u) => u >= 0.3).length / noise.data.length).toBeCloseTo(0.7, 1);
    expect(noiseAt(7, 0, "drop", shape).data).toEqual(noise.data);
    for (const other of [noiseAt(8, 0, "drop", shape), noiseAt(7, 1, "drop", shape), noiseAt(7, 0, "drop2", shape)])
      expect(other.data).not.toEqual(noise.data);
  });

  test("in the step: equal to multiplying by the mask by hand", async () => {
    const net = tiny([flatten, dropout(0.4), linear(2)]);
    const engine = createOnnxRuntimeEngine({ network: net, optimizer: sgd(), createSession });
    await engine.initialize({ seed: 5 });
    const { parameters } = await engine.state();
    const batch = batchOf(3, [1, 6, 6], 2);
    const [{ logits }] = await engine.train([batch], [0.1]);
    await engine.dispose();
    const noise = noiseAt(5, 0, "1", [3, 36]);
    const [weight, bias] = [parameters["2.weight"].data, parameters["2.bias"].data];
    for (let i = 0; i < 3; i++)
      for (let k = 0; k < 2; k++) {
        let sum = bias[k];
        for (let d = 0; d < 36; d++)
          if (noise.data[i * 36 + d] >= Math.fround(0.4)) sum += (batch.images.data[i * 36 + d] / 0.6) * weight[k * 36 + d];
        expect(logits.data[i * 2 + k]).toBeCloseTo(sum, 4);
      }
  });
});

describe("passes", () => {
  test("prune drops what no output needs and computes equal things once", () => {
    const g = graphBuilder();
    const x = g.input("x", "float32", [2]);
    const [a, b] = [g.add("Exp", [x]), g.add("Exp", [x])];
    g.add("Neg", [x], {}, "dead");
    const graph = prune(g.build("g", [g.add("Add", [a, b])]));
    expect(ops(graph)).toEqual(["Exp", "Add"]);
    expect(graph.nodes[1].inputs[0]).toBe(graph.nodes[1].inputs[1]);
  });

  test("a pool moves before a relu that nothing else reads, and only then", () => {
    const layers = [conv2d(2, 3), relu, maxPool2d(2), flatten, linear(2)];
    expect(ops(poolBeforeRelu(tiny(layers).graph))).toEqual(["Conv", "MaxPool", "Relu", "Flatten", "Gemm"]);
    const shared = network(
      "shared",
      (x, scope) => {
        const y = relu(conv2d(2, 3)(x, scope.child("conv")), scope.child("relu"));
        const pooled = maxPool2d(2)(y, scope.child("pool"));
        return linear(2)(
          flatten(scope.graph.add("Add", [pooled, maxPool2d(2)(y, scope.child("again"))]), scope.child("flat")),
          scope.child("fc"),
        );
      },
      { input: [1, 6, 6] },
    );
    expect(ops(poolBeforeRelu(shared.graph)).slice(0, 3)).toEqual(["Conv", "Relu", "MaxPool"]);
  });

  test("a parameter that the logits do not depend on is refused by name", () => {
    const net = network(
      "idle",
      (x, scope) => {
        scope.parameter("unused", [3], (shape) => new Float32Array(shape[0]));
        return linear(2)(flatten(x, scope.child("flat")), scope.child("fc"));
      },
      { input: [1, 6, 6] },
    );
    expect(() => writeStep(net, 2, sgd())).toThrow("parameter 'unused' of 'idle' does not influence its logits");
  });
});
