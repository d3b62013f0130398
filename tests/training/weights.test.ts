import { createHash } from "node:crypto";
import { mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createSession } from "../../core/session.node.ts";
import { float32, type Tensor } from "../../core/tensor.ts";
import { writeSafetensors } from "../../export/safetensors.ts";
import type { StoredTensor } from "../../export/torch-tensors.ts";
import { createNetwork } from "../../models/architectures/index.ts";
import { initialParameters, type Network } from "../../models/network.ts";
import { PRESETS } from "../../pipeline/presets.ts";
import { createOnnxRuntimeEngine } from "../../training/engines/onnxruntime.ts";
import { initialState } from "../../training/engines/variables.ts";
import { createOptimizer } from "../../training/optimizers.ts";
import { DEFAULTS, modelOf } from "../../training/run-config.ts";
import { newRunConfig } from "../../training/train-options.ts";
import { fetchWeights } from "../../training/weights/fetch-weights.node.ts";
import { type FittedWeights, fitWeights } from "../../training/weights/fit-weights.ts";
import type { KnownWeights } from "../../training/weights/known.ts";
import { readWeights } from "../../training/weights/read-weights.node.ts";
import { weightsLines } from "../../training/weights/start.node.ts";
import { tinyTorch } from "../export/make-torch.ts";

const optimizer = createOptimizer("sgd");

/** All tensors of a network with these first values. */
function tensorsOf(network: Network, seed: number): Record<string, Tensor<"float32">> {
  const { parameters, state } = initialState({ network, optimizer }, seed);
  const moved = Object.entries(state).map(
    ([name, t]) =>
      [
        name,
        float32(
          t.data.map((value, i) => value + 0.01 * i),
          t.shape,
        ),
      ] as const,
  );
  return { ...parameters, ...Object.fromEntries(moved) };
}
const stored = (tensors: Readonly<Record<string, Tensor<"float32">>>, rename = (name: string) => name): Map<string, StoredTensor> =>
  new Map(Object.entries(tensors).map(([name, t]) => [rename(name), { type: "float32", shape: t.shape, read: () => t }]));

const linesOf = ({ network: _, ...fitted }: FittedWeights): string =>
  weightsLines({ kind: "weights", weights: "a.pth", format: "pth", ...fitted }).join("\n");

describe("weights that fit", () => {
  const network = createNetwork("fashion-cnn");
  const tensors = tensorsOf(network, 7);

  test("all parameters and running statistics are the file's, and what an engine computes with them", async () => {
    const counter: StoredTensor = { type: "int64", shape: [] };
    const fitted = fitWeights(network, { file: "a.pth", tensors: new Map([...stored(tensors), ["bn1.num_batches_tracked", counter]]) });
    expect(fitted).toMatchObject({ taken: Object.keys(tensors).length, of: Object.keys(tensors).length, fresh: [], notes: [] });
    const begun = initialState({ network: fitted.network, optimizer }, 0);
    expect({ ...begun.parameters, ...begun.state }).toEqual(tensors);
    const logits = async (net: Network, state?: ReturnType<typeof initialState>) => {
      const engine = createOnnxRuntimeEngine({ network: net, optimizer, createSession });
      await engine.initialize(state ?? { seed: 3 });
      const images = float32(
        Float32Array.from({ length: 28 * 28 }, (_, i) => Math.sin(i)),
        [1, 1, 28, 28],
      );
      const { data } = await engine.predict(images);
      await engine.dispose();
      return [...data];
    };
    const { parameters, ...state } = initialState({ network, optimizer }, 0);
    const given = Object.fromEntries(Object.keys(state.state).map((name) => [name, tensors[name]]));
    const drawn = Object.fromEntries(Object.keys(parameters).map((name) => [name, tensors[name]]));
    expect(await logits(fitted.network)).toEqual(await logits(network, { ...state, parameters: drawn, state: given }));
  });

  test("a head of another size is drawn, and nothing else", () => {
    const other = createNetwork("fashion-cnn", { classes: 4 });
    const fitted = fitWeights(other, { file: "a.pth", tensors: stored(tensors) });
    expect([fitted.fresh, fitted.absent]).toEqual([["fc.weight", "fc.bias"], []]);
    expect(linesOf(fitted)).toMatch(/; fc\.weight, fc\.bias are drawn: the head there has another shape$/);
    const begun = initialState({ network: fitted.network, optimizer }, 5);
    const drawn = initialParameters(other, 5);
    expect(begun.parameters["fc.weight"]).toEqual(drawn["fc.weight"]);
    expect(begun.parameters["conv1.weight"]).toEqual(tensors["conv1.weight"]);
  });

  test("hidden layers in place of the head: they are drawn, and the file's head is left out", () => {
    const other = createNetwork("fashion-cnn", { classes: 4, head: { hidden: [16, 8], dropout: 0.1 } });
    const fitted = fitWeights(other, { file: "a.pth", tensors: stored(tensors) });
    const { fresh, absent, unused } = fitted;
    expect(absent).toEqual(fresh);
    expect(linesOf(fitted)).toMatch(
      /, fc\.6\.bias are drawn: the file has nothing of these names, but fc\.weight, fc\.bias, which are left out$/,
    );
    expect(fresh).toEqual(["fc.0.weight", "fc.0.bias", "fc.3.weight", "fc.3.bias", "fc.6.weight", "fc.6.bias"]);
    expect(unused).toEqual(["fc.weight", "fc.bias"]);
  });

  test("a file without a head, and one with half of it: what is drawn, and why", () => {
    const { "fc.weight": _, "fc.bias": bias, ...body } = tensors;
    const without = fitWeights(network, { file: "a.pth", tensors: stored(body) });
    expect([without.fresh, without.absent]).toEqual([
      ["fc.weight", "fc.bias"],
      ["fc.weight", "fc.bias"],
    ]);
    expect(linesOf(without)).toMatch(/; fc\.weight, fc\.bias are drawn: the file has nothing of these names$/);
    const half = fitWeights(createNetwork("fashion-cnn", { classes: 4 }), { file: "a.pth", tensors: stored({ ...body, "fc.bias": bias }) });
    expect(linesOf(half)).toMatch(
      /; fc\.bias is drawn: the head there has another shape; fc\.weight is drawn: the file has nothing of this name$/,
    );
  });

  test("a head of whole numbers is refused, and not drawn", () => {
    const whole: StoredTensor = { type: "int64", shape: [10] };
    expect(() => fitWeights(network, { file: "a.pth", tensors: new Map([...stored(tensors), ["fc.bias", whole]]) })).toThrow(
      "'fc.bias': expected floating-point numbers, found int64",
    );
  });

  test("`module.` before all names is taken off", () => {
    const { taken, of, notes } = fitWeights(network, { file: "a.pth", tensors: stored(tensors, (name) => `module.${name}`) });
    expect([taken, notes]).toEqual([of, ["'module.' before all names is taken off"]]);
  });

  test("a DenseNet's old names", () => {
    const dense = createNetwork("densenet169");
    const old = (name: string) => name.replace(/(denselayer\d+\.(?:norm|conv))([12])\./, "$1.$2.");
    const { taken, of, fresh, notes } = fitWeights(dense, { file: "densenet169-b2777c0a.pth", tensors: stored(tensorsOf(dense, 0), old) });
    expect([taken, fresh, notes]).toEqual([of, [], ["820 old names of a DenseNet such as norm.1 read as norm1"]]);
  });
});

describe("weights that do not fit", () => {
  const network = createNetwork("fashion-cnn");
  const tensors = tensorsOf(network, 7);
  const messageWith = (changed: Map<string, StoredTensor>): string => {
    try {
      fitWeights(network, { file: "a.pth", tensors: changed });
    } catch (error) {
      return (error as Error).message;
    }
    return "";
  };

  test("a wrong shape, a missing name and one too many are listed with the nearest names", () => {
    const names = Object.keys(tensors).filter((name) => !name.startsWith("fc."));
    const [first, second] = names;
    const changed = stored(tensors, (name) => (name === second ? `${name}s` : name));
    changed.set(first, { type: "float32", shape: [1, 2], read: () => float32([1, 2], [1, 2]) });
    const message = messageWith(changed);
    expect(message).toContain(`a.pth does not fit the network 'fashion-cnn'`);
    expect(message).toContain(`'${first}': expected [${tensors[first].shape}], found [1,2]`);
    expect(message).toContain(`'${second}' is missing (nearest: '${second}s')`);
    expect(message).toContain(`'${second}s' is none of the network's (nearest: '${second}')`);
  });

  test("of another architecture: at most ten, and how many more", () => {
    const message = messageWith(stored(tensorsOf(createNetwork("resnet18"), 0)));
    expect(message.match(/is missing|is none of|expected \[/g)?.length).toBe(10);
    expect(message).toMatch(/; and [\d,]+ more\. To fix: name with --model the network/);
  });

  test("integers, and numbers that are not finite", () => {
    const [first] = Object.keys(tensors);
    const { shape } = tensors[first];
    expect(messageWith(stored(tensors).set(first, { type: "int64", shape }))).toContain("expected floating-point numbers, found int64");
    const broken = {
      ...tensors,
      [first]: float32(
        tensors[first].data.map(() => Number.NaN),
        shape,
      ),
    };
    expect(messageWith(stored(broken))).toContain(`a.pth: '${first}' holds NaN: expected finite numbers`);
  });
});

describe("reading", () => {
  test("safetensors in float32, float64 and float16, a .pth, and what is none of them", async () => {
    const bytes = writeSafetensors({ a: float32([1, 2]), b: { dtype: "float64", shape: [1], data: Float64Array.of(0.5) } });
    const { tensors, format } = await readWeights(bytes, "a.safetensors");
    expect([format, [...tensors.get("a")!.read!().data], [...tensors.get("b")!.read!().data]]).toEqual(["safetensors", [1, 2], [0.5]]);
    expect((await readWeights(tinyTorch(), "a.bin")).format).toBe("PyTorch");
    await expect(readWeights(new Uint8Array(), "a.pth")).rejects.toThrow("a.pth is empty");
    await expect(readWeights(new TextEncoder().encode("<html>not found</html>"), "a.pth")).rejects.toThrow("a.pth: ");
    await expect(readWeights(new TextEncoder().encode("<html>not found</html>"), "a.safetensors")).rejects.toThrow("another format");
  });
});

describe("a run's preprocessing", () => {
  test("with pretrained weights of a network it is theirs, at its own size, unless options say otherwise", async () => {
    const standard = {
      resize: null,
      filter: "bilinear",
      crop: [32, 32],
      channels: 3,
      mean: [0.5, 0.5, 0.5],
      std: [0.2, 0.2, 0.2],
    } as const;
    const config = { ...DEFAULTS, model: "resnet18", data: "cifar-10", weights: "resnet18" };
    expect(modelOf(config, standard).preprocess).toEqual(PRESETS.imagenet);
    const smaller = modelOf({ ...config, preprocess: { crop: [112, 112], std: [1, 1, 1] } }, standard).preprocess;
    expect(smaller).toMatchObject({ resize: 128, crop: [112, 112], mean: PRESETS.imagenet.mean, std: [1, 1, 1] });
    expect(modelOf({ ...config, weights: undefined }, standard).preprocess.mean).toEqual([0.5, 0.5, 0.5]);
  });

  test("a known name stays, a file's path is made absolute, none is none", async () => {
    const weightsOf = async (weights: string) => (await newRunConfig({ model: "resnet18", data: "fashion-mnist-sample", weights })).weights;
    expect([await weightsOf("resnet18"), await weightsOf("a.pth"), await weightsOf("none")]).toEqual([
      "resnet18",
      join(process.cwd(), "a.pth"),
      undefined,
    ]);
  });
});

describe("fetching", () => {
  let root: string;
  let server: Server;
  let requests: string[];
  let bytes: Buffer;
  let known: KnownWeights;
  const quick = { tries: 3, pause: 1, patience: 20_000 };
  beforeAll(async () => {
    root = await mkdtemp(join(tmpdir(), "fivecrop-weights-"));
    bytes = Buffer.from(writeSafetensors(tensorsOf(createNetwork("fashion-cnn"), 1)));
    requests = [];
    server = createServer((request, response) => {
      requests.push(request.url ?? "");
      if (request.url?.startsWith("/none")) response.writeHead(404).end();
      else
        response
          .writeHead(200, { "content-length": bytes.length })
          .end(request.url?.startsWith("/other") ? Buffer.alloc(bytes.length) : bytes);
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const sha256 = createHash("sha256").update(bytes).digest("hex").slice(0, 8);
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/net-${sha256}.safetensors`;
    known = { summary: "", model: "fashion-cnn", home: "", preprocess: PRESETS.imagenet, file: { url, sha256 } };
  });
  afterAll(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
    await rm(root, { recursive: true, force: true });
  });
  const fetchTo = (name: string, more: { from?: string; known?: KnownWeights } = {}) =>
    fetchWeights("net", more.known ?? known, { root: join(root, name), from: more.from, connection: quick });
  const address = (path: string): string => new URL(path, known.file.url).href;

  test("from its official place, once", async () => {
    const first = await fetchTo("a");
    expect(first).toMatchObject({ alreadyThere: false, bytes: bytes.length });
    expect(await fetchTo("a")).toMatchObject({ file: first.file, alreadyThere: true });
    expect(requests.length).toBe(1);
    expect((await readdir(join(root, "a", "models"))).length).toBe(1);
    await writeFile(first.file, "damaged");
    await expect(fetchTo("a")).rejects.toThrow(
      /is there, but damaged: .*expected the published sha256 hash [0-9a-f]{8}…, received .* fetch again/,
    );
  });

  test("from an address, a file of any name, and a directory that has it", async () => {
    await mkdir(join(root, "cache", "hub"), { recursive: true });
    await writeFile(join(root, "renamed.bin"), bytes);
    await writeFile(join(root, "cache", "hub", `net-${known.file.sha256}.safetensors`), bytes);
    for (const from of [address("/mirror.pth"), join(root, "renamed.bin"), join(root, "cache")])
      expect(await fetchTo(`b${from.length}`, { from })).toMatchObject({ alreadyThere: false });
  });

  test("another file, no file, and one that does not fit: nothing is kept", async () => {
    await writeFile(join(root, "wrong.bin"), "wrong");
    await expect(fetchTo("c", { from: address("/other.pth") })).rejects.toThrow("expected the published sha256 hash");
    await expect(fetchTo("c", { from: join(root, "wrong.bin") })).rejects.toThrow("wrong.bin: expected the published sha256 hash");
    await expect(fetchTo("c", { from: join(root, "nowhere") })).rejects.toThrow("--from: there is no file or directory");
    await expect(fetchTo("c", { from: address("/none.pth") })).rejects.toThrow("the server answers 404");
    await expect(fetchTo("c", { known: { ...known, model: "lenet-bn" } })).rejects.toThrow("does not fit the network 'lenet-bn'");
    expect((await readdir(join(root, "c", "models"))).filter((name) => !name.startsWith("."))).toEqual([]);
  });
});
