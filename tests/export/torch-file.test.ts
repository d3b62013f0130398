import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { FivecropError } from "../../core/errors.ts";
import { readTorchFile } from "../../export/torch-file.node.ts";
import { call, dict, floats, int, type Made, named, pickle, tensorOf, text, torchLegacy, torchZip } from "./make-torch.ts";
import { needPeers, runPython } from "./peers.ts";

const valuesOf = async (bytes: Uint8Array) => {
  const { tensors } = await readTorchFile(bytes, "net.pth");
  return Object.fromEntries([...tensors].map(([name, { shape, read }]) => [name, [shape, read ? [...read().data] : undefined]]));
};

const MADE: Made = {
  storages: {
    "0": floats(1, 2, 3, 4, 5, 6),
    "1": { type: "DoubleStorage", bytes: Buffer.from(Float64Array.of(0.1, -2).buffer) },
    "2": { type: "HalfStorage", bytes: Buffer.from(Uint16Array.of(0x3c00, 0xc000, 0x0001).buffer) },
    "3": { type: "BFloat16Storage", bytes: Buffer.from(Uint16Array.of(0x3f80, 0x4049).buffer) },
    "4": { type: "LongStorage", bytes: Buffer.alloc(8) },
  },
  tensors: {
    whole: { storage: "0", shape: [2, 3] },
    transposed: { storage: "0", shape: [3, 2], strides: [1, 3] },
    part: { storage: "0", shape: [2], offset: 3, strides: [2] },
    spread: { storage: "0", shape: [2, 2], offset: 5, strides: [0, 0] },
    scalar: { storage: "0", shape: [], offset: 1 },
    empty: { storage: "0", shape: [0, 3] },
    double: { storage: "1", shape: [2] },
    half: { storage: "2", shape: [3] },
    bfloat: { storage: "3", shape: [2] },
    "bn.num_batches_tracked": { storage: "4", shape: [] },
  },
};
const EXPECTED = {
  whole: [
    [2, 3],
    [1, 2, 3, 4, 5, 6],
  ],
  transposed: [
    [3, 2],
    [1, 4, 2, 5, 3, 6],
  ],
  part: [[2], [4, 6]],
  spread: [
    [2, 2],
    [6, 6, 6, 6],
  ],
  scalar: [[], [2]],
  empty: [[0, 3], []],
  double: [[2], [Math.fround(0.1), -2]],
  half: [[3], [1, -2, 2 ** -24]],
  bfloat: [[2], [1, 3.140625]],
  "bn.num_batches_tracked": [[], undefined],
};

describe("a state dict by hand", () => {
  test.each<[string, Buffer]>([
    ["stored", torchZip(MADE)],
    ["deflated", torchZip({ ...MADE, deflated: true })],
    ["with its byte order", torchZip({ ...MADE, byteorder: "little" })],
    ["under a key", torchZip({ ...MADE, under: "state_dict" })],
    ["before PyTorch 1.6", torchLegacy(MADE)],
    ["at an odd place in memory", Buffer.concat([Buffer.from("x"), torchZip(MADE)]).subarray(1)],
  ])("%s", async (_, bytes) => {
    expect(await valuesOf(bytes)).toEqual(EXPECTED);
  });

  test("says which format it is, and where the state dict lay", async () => {
    expect(await readTorchFile(torchZip({ ...MADE, under: "model" }), "a.pth")).toMatchObject({ format: "PyTorch", under: "model" });
    expect(await readTorchFile(torchLegacy(MADE), "a.pth")).toMatchObject({ format: "PyTorch before 1.6", under: undefined });
  });

  test("big-endian bytes are turned, and those of the file stay as they are", async () => {
    const swapped = { storages: { "0": { ...floats(1.5, -2), bytes: Buffer.from(floats(1.5, -2).bytes).swap32() } }, byteorder: "big" };
    const bytes = torchZip({ ...swapped, tensors: { a: { storage: "0", shape: [2] } } });
    const before = Buffer.from(bytes);
    expect(await valuesOf(bytes)).toEqual({ a: [[2], [1.5, -2]] });
    expect(bytes.equals(before)).toBe(true);
  });
});

const ONE: Made = { storages: { "0": floats(1, 2) }, tensors: { a: { storage: "0", shape: [2] } } };
const withPickle = (value: Buffer): Buffer => torchZip({ ...ONE, entries: [{ name: "net/data.pkl", content: pickle(value) }] });
const tensorWith = (made: Partial<Made["tensors"][string]>): Buffer =>
  torchZip({ ...ONE, tensors: { a: { storage: "0", shape: [2], ...made } } });
const EVIL = call(named("os", "system"), text("exit 1"));

describe("what is refused, by name", () => {
  test.each<[what: string, bytes: Buffer, ...says: string[]]>([
    [
      "a call of the system",
      withPickle(EVIL),
      "refused: it asks for os.system",
      "nothing of it was run",
      "torch.save(model.state_dict(), FILE)",
    ],
    [
      "one beside tensors",
      withPickle(
        dict([
          ["a", tensorOf(ONE.tensors.a, ONE.storages)],
          ["b", EVIL],
        ]),
      ),
      "it asks for os.system",
    ],
    ["one in the older format", torchLegacy(ONE, EVIL), "it asks for os.system"],
    ["one in place of the magic number", pickle(EVIL), "it asks for os.system"],
    [
      "one by another opcode",
      withPickle(Buffer.concat([text("os"), text("system"), Buffer.from("\x93", "latin1")])),
      "it asks for os.system",
    ],
    ["an attribute of every object", withPickle(named("builtins", "getattr")), "it asks for builtins.getattr"],
    ["a name of JavaScript's", withPickle(named("__proto__", "constructor")), "it asks for __proto__.constructor"],
    ["a whole module", withPickle(named("torch.nn.modules.linear", "Linear")), "it asks for torch.nn.modules.linear.Linear"],
    [
      "an object of a class",
      withPickle(Buffer.concat([named("collections", "OrderedDict"), Buffer.from(")\x81", "latin1")])),
      "opcode 0x81",
    ],
    ["a call of what is no function", withPickle(Buffer.from("K\x01)R", "latin1")), "calls what is no function"],
    ["a storage as a tensor", withPickle(call(named("torch._utils", "_rebuild_tensor_v2"), int(1))), "expected a tensor's storage"],
    ["a list", withPickle(Buffer.from("]")), "expected a state dict"],
    ["a dictionary without tensors", withPickle(dict([["a", int(1)]])), "expected a state dict", "found the keys 'a'"],
    ["another byte order", torchZip({ ...ONE, byteorder: "middle" }), "found 'middle'"],
    ["a zip of something else", torchZip({ ...ONE, entries: [{ name: "net/data.pkl", content: pickle() }] }), "stack is empty"],
  ])("%s", async (_, bytes, ...says) => {
    const error = await readTorchFile(bytes, "net.pth").catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(FivecropError);
    for (const said of ["net.pth: ", ...says]) expect((error as Error).message).toContain(said);
  });
});

describe("sizes that cannot be", () => {
  const longest = 2 ** 31 - 1;
  test.each<[what: string, bytes: Buffer, says: string]>([
    ["a tensor beyond its storage", tensorWith({ shape: [3] }), "does not lie within its storage of 2 elements"],
    ["an offset beyond it", tensorWith({ offset: 1 }), "does not lie within its storage"],
    ["strides beyond it", tensorWith({ strides: [2] }), "does not lie within its storage"],
    ["a negative size", tensorWith({ shape: [-1] }), "expected a tensor's storage"],
    ["more elements than can be counted", tensorWith({ shape: [longest, longest, longest], strides: [0, 0, 0] }), "does not lie within"],
    ["more axes than tensors have", tensorWith({ shape: Array(65).fill(1) }), "expected a tensor's storage"],
    [
      "a storage that is larger than its entry",
      torchZip({ ...ONE, storages: { "0": { ...floats(1, 2), elements: longest } } }),
      "expected 8589934588 bytes, found 8",
    ],
    ["one in the older format", torchLegacy({ ...ONE, storages: { "0": { ...floats(1, 2), elements: longest } } }), "it is cut off"],
    [
      "a missing storage",
      withPickle(dict([["a", tensorOf({ storage: "9", shape: [2] }, { "9": floats(1, 2) })]])),
      "'net/data/9' is missing",
    ],
    ["an integer of a gigabyte", withPickle(Buffer.from("\x8b\x00\x00\x00\x40", "latin1")), "an integer of 1073741824 bytes"],
    ["a text of four gigabytes", withPickle(Buffer.from("X\xff\xff\xff\xff", "latin1")), "the pickle is cut off"],
  ])("%s", async (_, bytes, says) => {
    const error = await readTorchFile(bytes, "net.pth").catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(FivecropError);
    expect((error as Error).message).toContain(says);
  });

  test("a tensor that claims to be huge is not made before it is asked for", async () => {
    const { tensors } = await readTorchFile(tensorWith({ shape: [longest], strides: [0] }), "net.pth");
    expect(tensors.get("a")?.shape).toEqual([longest]);
  });

  test("what unpacks to far more than any weights is refused, and nothing more is unpacked than the zip says", async () => {
    const zeros = { type: "FloatStorage", bytes: Buffer.alloc(80e6) };
    const bomb = await readTorchFile(
      torchZip({ storages: { "0": zeros }, tensors: { a: { storage: "0", shape: [1] } }, deflated: true }),
      "net.pth",
    );
    expect(() => bomb.tensors.get("a")!.read!()).toThrow("refused: unpacked, it would be more than 16 times its size");
    const entry = { name: "net/data/0", content: Buffer.alloc(1e6), said: 8, stored: false };
    const liar = await readTorchFile(torchZip({ ...ONE, entries: [entry] }), "net.pth");
    expect(() => liar.tensors.get("a")!.read!()).toThrow(FivecropError);
  });

  test("a flipped bit is found", async () => {
    const bytes = torchZip(ONE);
    bytes[bytes.indexOf(ONE.storages["0"].bytes)] ^= 1;
    const { tensors } = await readTorchFile(bytes, "net.pth");
    expect(() => tensors.get("a")!.read!()).toThrow("'net/data/0' in its zip is damaged");
  });

  test("cut off anywhere, or with any byte changed, it is read or refused in words", async () => {
    for (const whole of [torchZip(MADE), torchZip({ ...MADE, deflated: true }), torchLegacy(MADE)]) {
      const spoil = [
        ...Array.from({ length: 60 }, (_, i) => whole.subarray(0, Math.floor((whole.length * i) / 60))),
        ...Array.from({ length: 400 }, (_, i) => {
          const copy = Buffer.from(whole);
          copy[(i * 7919) % copy.length] ^= 1 << (i % 8);
          return copy;
        }),
      ];
      for (const bytes of spoil) {
        const outcome = await readTorchFile(bytes, "net.pth")
          .then(({ tensors }) =>
            [...tensors.values()].map(({ shape, read }) => (shape.reduce((a, b) => a * b, 1) < 1e6 ? read?.() : undefined)),
          )
          .catch((thrown: unknown) => thrown);
        if (outcome instanceof Error) expect(outcome).toBeInstanceOf(FivecropError);
      }
    }
  });
});

const SAVE = `
import collections, json, sys, torch
from torch import nn
torch.manual_seed(0)
many = torch.randn(40)
net = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.Linear(5, 2))
tensors = collections.OrderedDict(net.state_dict())
tensors.update(half=torch.randn(5).half(), double=torch.randn(2, 3, dtype=torch.float64).t(), bfloat=torch.randn(7).bfloat16(), rows=torch.randn(4, 6)[1:3, ::2],
    scalar=torch.tensor(2.5), empty=torch.zeros(0, 3), front=many[:9], back=many[5:], spread=torch.ones(1).expand(3), parameter=nn.Parameter(torch.randn(2)))
folder = sys.argv[1]
torch.save(tensors, folder + "/new.pth")
torch.save(tensors, folder + "/old.pth", _use_new_zipfile_serialization=False)
torch.save({"epoch": 3, "optimizer": {"state": {0: {"step": torch.tensor(1.0)}}, "param_groups": [{"lr": 0.1, "betas": (0.9, 0.999)}]}, "model_state_dict": tensors}, folder + "/training.pth")
torch.save(net, folder + "/module.pth")
class Evil:
    def __reduce__(self): return (open, (folder + "/owned", "w"))
torch.save({"a": torch.ones(1), "b": Evil()}, folder + "/evil.pth")
torch.save({"b": Evil()}, folder + "/evil-old.pth", _use_new_zipfile_serialization=False)
print(json.dumps({name: [list(t.shape), t.detach().double().flatten().tolist()] for name, t in tensors.items()}))
`;

test.runIf(needPeers("what torch.save writes, tensor by tensor"))("what torch.save writes, in both formats, tensor by tensor", async () => {
  const folder = await mkdtemp(join(tmpdir(), "fivecrop-torch-"));
  try {
    const expected: Record<string, [number[], number[]]> = JSON.parse(runPython(SAVE, folder));
    for (const file of ["new.pth", "old.pth", "training.pth"]) {
      const { tensors } = await readTorchFile(await readFile(join(folder, file)), file);
      expect([...tensors.keys()]).toEqual(Object.keys(expected));
      for (const [name, { type, shape, read }] of tensors) {
        expect([name, shape]).toEqual([name, expected[name][0]]);
        if (read) expect([...read().data]).toEqual(expected[name][1].map(Math.fround));
        else expect([name, type]).toEqual(["1.num_batches_tracked", "int64"]);
      }
    }
    const refused = async (file: string) =>
      readTorchFile(await readFile(join(folder, file)), file).catch((thrown: Error) => thrown.message);
    expect(await refused("module.pth")).toContain("it asks for torch.nn.modules.container.Sequential");
    expect(await refused("evil.pth")).toMatch(/it asks for (io|_io|builtins|__builtin__)\.open/);
    expect(await refused("evil-old.pth")).toMatch(/it asks for (io|_io|builtins|__builtin__)\.open/);
    expect(await readdir(folder)).not.toContain("owned");
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});
