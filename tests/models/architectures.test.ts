import { describe, expect, test } from "vitest";
import { foldBatchNorm } from "../../export/passes/fold-batch-norm.ts";
import { createNetwork } from "../../models/architectures/index.ts";
import { classCount, initialParameters, parameterCount } from "../../models/network.ts";
import { headOf, parseHead, parseInput } from "../../models/network-options.ts";
import { ARCHITECTURE_NAMES, type ArchitectureName, smallNetwork } from "./small.ts";

/** As published, with each network's own number of classes. */
const COUNTS: Readonly<Record<ArchitectureName, number>> = {
  "fashion-cnn": 62_058,
  "lenet-bn": 44_878,
  alexnet: 46_764_746,
  "vgg11-small": 43_093_322,
  vgg11: 128_806_154,
  "resnet18-gray": 11_178_378,
  minivgg: 2_166_756,
  "minivgg-bn": 2_167_652,
  "mini-resnet": 7_884_516,
  "cifar-convnet": 1_334_624,
  "cifar-convnet-no-bn": 1_333_624,
  "whitened-convnet": 1_529_866,
  "whitened-convnet-gray": 752_138,
  convnet1: 148_520,
  convnet2: 222_504,
  convnet3: 296_488,
  resnet18: 11_689_512,
  densenet169: 14_149_480,
};

test.each(ARCHITECTURE_NAMES)("%s has the published number of parameters", (name) => {
  expect(parameterCount(createNetwork(name))).toBe(COUNTS[name]);
});

describe("heads", () => {
  const weights = (name: string, options: Parameters<typeof createNetwork>[1]) =>
    [...createNetwork(name, options).parameters.keys()].map((value) => `${value.name} [${value.shape}]`);

  test("hidden layers stand in a sequence of their own, as in PyTorch", () => {
    const options = { classes: 7, input: [3, 32, 32] as const, head: { hidden: [20, 10], dropout: 0.2 } };
    expect(weights("resnet18", options).slice(-6)).toEqual([
      "fc.0.weight [20,512]",
      "fc.0.bias [20]",
      "fc.3.weight [10,20]",
      "fc.3.bias [10]",
      "fc.6.weight [7,10]",
      "fc.6.bias [7]",
    ]);
    expect(weights("densenet169", { ...options, head: { hidden: [20] } }).slice(-4)).toEqual([
      "classifier.0.weight [20,1664]",
      "classifier.0.bias [20]",
      "classifier.2.weight [7,20]",
      "classifier.2.bias [7]",
    ]);
    expect(weights("alexnet", { input: [1, 67, 67], head: { hidden: [] } }).slice(-2)).toEqual(["14.weight [10,256]", "14.bias [10]"]);
  });

  test("any number of classes", () => {
    for (const name of ARCHITECTURE_NAMES) expect(classCount(createNetwork(name, { classes: 3 })), name).toBe(3);
  });

  test("what does not fit is refused by name", () => {
    expect(() => createNetwork("lenet-bn", { head: { hidden: [5] } })).toThrow("the hidden layers of 'lenet-bn' cannot be replaced");
    expect(() => createNetwork("resnet18", { head: { hidden: [5, 0] } })).toThrow(
      "head: expected whole numbers of units of at least 1, received 0",
    );
    expect(() => createNetwork("resnet18", { head: { hidden: [5], dropout: 1 } })).toThrow("dropout: expected a number from 0 up to");
    expect(() => createNetwork("resnet18", { head: { hidden: [], dropout: 0.1 } })).toThrow("it stands behind hidden layers");
    expect(() => createNetwork("alexnet", { input: [1, 20, 20] })).toThrow("node '5' (MaxPool)");
  });

  test("as options of a command line", () => {
    expect(parseHead("512,256")).toEqual([512, 256]);
    expect(parseHead("none")).toEqual([]);
    expect(parseInput("3x64x48")).toEqual([3, 64, 48]);
    expect(headOf([8], 0.5)).toEqual({ head: { hidden: [8], dropout: 0.5 } });
    expect(headOf(undefined, undefined)).toEqual({});
    expect(() => parseHead("512,")).toThrow("--head: expected the units of each hidden layer, such as 512,256, or none, received '512,'");
    expect(() => parseInput("64x64")).toThrow("--input: expected channels, height and width, such as 3x64x64, received '64x64'");
    expect(() => headOf(undefined, 0.5)).toThrow("--dropout: it belongs to the hidden layers of --head");
  });
});

test("densenet169: batch norms in front of a convolution stay in the file, those behind one fold", () => {
  const { graph } = smallNetwork("densenet169");
  const kept = foldBatchNorm(graph).nodes.filter(({ op }) => op === "BatchNormalization");
  expect(kept.map(({ name }) => name)).toEqual(
    graph.nodes.flatMap(({ op, name }) => (op === "BatchNormalization" && /norm1$|transition\d\.norm$|norm5$/.test(name) ? [name] : [])),
  );
  expect(kept.length).toBe(86);
});

describe("first values", () => {
  const deviation = (values: Float32Array): number => Math.sqrt(values.reduce((sum, v) => sum + v * v, 0) / values.length);
  const largest = (values: Float32Array): number => values.reduce((a, b) => Math.max(a, Math.abs(b)), 0);

  test("resnet18: convolutions He normal by fan-out, the last layer PyTorch's default", () => {
    const first = initialParameters(smallNetwork("resnet18"), 1);
    expect(deviation(first["layer2.0.conv1.weight"].data) / Math.sqrt(2 / (128 * 9))).toBeCloseTo(1, 1);
    expect(largest(first["fc.weight"].data)).toBeLessThanOrEqual(1 / Math.sqrt(512));
    expect(largest(first["fc.bias"].data)).toBeGreaterThan(0);
  });

  test("densenet169: convolutions He normal by fan-in, the last bias zero", () => {
    const first = initialParameters(smallNetwork("densenet169"), 1);
    expect(deviation(first["features.denseblock3.denselayer5.conv2.weight"].data) / Math.sqrt(2 / (128 * 9))).toBeCloseTo(1, 1);
    expect(largest(first["classifier.bias"].data)).toBe(0);
    expect(largest(first["classifier.weight"].data)).toBeLessThanOrEqual(1 / Math.sqrt(1664));
  });

  test("a whole network's weights by name: its source's, or another", () => {
    const gray = initialParameters(smallNetwork("resnet18-gray"), 1)["1.0.conv1.weight"].data;
    expect(largest(gray) / Math.sqrt(6 / (2 * 64 * 9))).toBeCloseTo(1, 2);
    const asPyTorch = initialParameters(createNetwork("resnet18-gray", { initialization: "pytorch" }), 1);
    expect(largest(asPyTorch["1.0.conv1.weight"].data) * Math.sqrt(64 * 9)).toBeCloseTo(1, 2);
    const minivgg = initialParameters(createNetwork("minivgg", { initialization: "xavier-uniform" }), 1);
    expect(largest(minivgg["classifier.0.weight"].data) / Math.sqrt(6 / (3200 + 512))).toBeCloseTo(1, 2);
    expect(largest(minivgg["classifier.0.bias"].data)).toBe(0);
    expect(() => createNetwork("minivgg", { initialization: "xavier" as "pytorch" })).toThrow(
      "unknown initialization 'xavier'. Did you mean 'xavier-uniform'?",
    );
  });
});
