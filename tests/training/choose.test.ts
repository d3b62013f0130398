import { describe, expect, test } from "vitest";
import { deviceFault } from "../../core/device-fault.ts";
import { FivecropError, UsageError } from "../../core/errors.ts";
import { createSession } from "../../core/session.node.ts";
import type { Device, SessionMaker } from "../../core/session.ts";
import { flatten, linear, relu, sequential } from "../../models/layers/index.ts";
import { network } from "../../models/network.ts";
import { candidatesFor } from "../../training/engines/choose.node.ts";
import { type Candidate, type ChooseOptions, choose } from "../../training/engines/choose.ts";
import { createOnnxRuntimeEngine } from "../../training/engines/onnxruntime.ts";
import { sgd } from "../../training/optimizers.ts";
import { runtimeThat } from "./runtime.ts";

const tiny = network("tiny", sequential([flatten, linear(5), relu, linear(3)]), { input: [1, 4, 4] });
const training: ChooseOptions = { network: tiny, optimizer: sgd(), batchSize: 4 };

/** A runtime whose runs take so long, as a slower one's do. */
const taking = (milliseconds: number): SessionMaker =>
  runtimeThat(() => {
    const until = performance.now() + milliseconds;
    while (performance.now() < until);
  });

const candidate = (device: Device, make: SessionMaker): Candidate => ({
  engine: "onnxruntime",
  device,
  find: async () => ({
    runtime: `the runtime of ${device}`,
    versions: {},
    create: (options) => createOnnxRuntimeEngine({ ...options, createSession: make }),
  }),
});
const missing = (device: Device): Candidate => ({
  engine: "onnxruntime",
  device,
  find: () => Promise.reject(new FivecropError(`${device} is not there. To fix: fivecrop doctor.`)),
});
const wrong = runtimeThat(({ loss }) => loss?.set(loss.map((value) => 2 * value)));

describe("of several, where the processor may take their place", () => {
  const processor = candidate("cpu", taking(20));
  const among = (...candidates: readonly [Candidate, ...Candidate[]]) => choose({ candidates, processor, needsFaster: true }, training);

  test("the first that is faster is taken, with what was refused before it", async () => {
    const chosen = await among(missing("cuda"), candidate("webgpu", createSession));
    expect(chosen).toMatchObject({
      engine: "onnxruntime",
      device: "webgpu",
      runtime: "the runtime of webgpu",
      check: { images: 4, loss: 0 },
    });
    expect(chosen.why).toMatch(/^a step of 4 images takes 0\.0\d\d s there, 0\.\d+ s on cpu$/);
    expect(chosen.refused).toEqual([{ engine: "onnxruntime", device: "cuda", reason: "cuda is not there" }]);
    expect(chosen.create().network).toBe(tiny);
  });

  test("one that works and is slower is not, and that is said", async () => {
    const chosen = await among(candidate("webgpu", taking(200)));
    expect(chosen).toMatchObject({ device: "cpu", runtime: "the runtime of cpu", why: "it is the fastest here" });
    expect(chosen.refused[0].reason).toMatch(/^slower: a step of 4 images takes 0\.[2-9]\d* s there/);
  });

  test("nor one that is wrong, has not the memory, or is late; a fault of ours is not hidden", async () => {
    const full = runtimeThat(() => {
      throw deviceFault("the training step", new Error("out of memory"));
    });
    const chosen = await among(candidate("cuda", wrong), candidate("webgpu", full));
    expect(chosen).toMatchObject({ device: "cpu", why: "it is what works here" });
    expect(chosen.refused.map(({ reason }) => reason)).toEqual([
      expect.stringMatching(/^cuda is not used, its training step is wrong: .*%$/),
      expect.stringContaining("out of memory"),
    ]);
    const late = { candidates: [candidate("cuda", taking(50))] as const, processor, needsFaster: true };
    expect((await choose(late, { ...training, trialSeconds: 0.02 })).refused[0].reason).toBe("it took more than 0.02 seconds to start");
    const broken: SessionMaker = () => Promise.reject(new TypeError("a fault of ours"));
    await expect(among(candidate("webgpu", broken))).rejects.toThrow("a fault of ours");
  });
});

describe("what has to be taken", () => {
  const processor = candidate("cpu", createSession);
  const among = (candidates: readonly [Candidate, ...Candidate[]], more?: Partial<ChooseOptions>) =>
    choose({ candidates, processor, needsFaster: false }, { ...training, ...more });

  test("is taken though it is slower, once it has proved to be right", async () => {
    const chosen = await among([candidate("webgpu", taking(20))]);
    expect(chosen).toMatchObject({ device: "webgpu", why: "it was asked for", refused: [], check: { loss: 0 } });
    await expect(among([candidate("webgpu", wrong)])).rejects.toThrow("its training step is wrong");
  });

  test("the processor needs no proof", async () => {
    const chosen = await among([processor]);
    expect([chosen.device, chosen.check]).toEqual(["cpu", undefined]);
  });

  test("an error of its proof is explained by who knows the run, and by an engine that can be made again", async () => {
    const full = runtimeThat(() => {
      throw deviceFault("the training step", new Error("out of memory"));
    });
    const explain: ChooseOptions["explain"] = async (error, { device, create }) => [(error as Error).name, device, create().name];
    await expect(among([candidate("cuda", full)], { explain })).rejects.toEqual(["DeviceMemoryError", "cuda", "onnxruntime"]);
    await expect(among([missing("cuda")])).rejects.toThrow("cuda is not there. To fix: fivecrop doctor.");
  });

  test("of two engines the second is taken where the first does not work; where none does, both say why", async () => {
    expect(await among([missing("cuda"), candidate("cuda", createSession)])).toMatchObject({
      device: "cuda",
      refused: [{ reason: "cuda is not there" }],
    });
    await expect(among([missing("cuda"), missing("cuda")])).rejects.toThrow(
      "cuda: no engine computes there. onnxruntime: cuda is not there; onnxruntime: cuda is not there. To fix: fivecrop doctor says what is missing",
    );
  });
});

test("what --engine and --device together may become", () => {
  const ways = (engine: string | undefined, device?: "cpu" | "cuda" | "webgpu" | "auto") => {
    const { candidates, processor, needsFaster } = candidatesFor({ engine, device });
    const names = candidates.map((one) => `${one.engine} ${one.device}`);
    return needsFaster ? [...names, `${processor.engine} ${processor.device}`] : names;
  };
  const everything = ["onnxruntime cuda", "onnxruntime webgpu", "onnxruntime cpu"];
  expect(ways(undefined)).toEqual(["onnxruntime cpu"]);
  expect(ways("onnxruntime", "cuda")).toEqual(["onnxruntime cuda"]);
  expect(ways("onnxruntime", "auto")).toEqual(everything);
  expect(ways("auto")).toEqual(["tfjs cuda", ...everything]);
  expect(ways("auto", "auto")).toEqual(["tfjs cuda", ...everything]);
  expect(ways("auto", "cpu")).toEqual(["onnxruntime cpu"]);
  expect(ways("auto", "cuda")).toEqual(["tfjs cuda", "onnxruntime cuda"]);
  expect(ways("auto", "webgpu")).toEqual(["onnxruntime webgpu"]);
  expect(ways("tfjs")).toEqual(["tfjs cpu"]); // plain TensorFlow.js is what is installed here
  expect(() => ways("tfjs", "webgpu")).toThrow(UsageError);
  expect(() => ways("tfjs", "cuda")).toThrow("@tensorflow/tfjs computes on the processor. To fix: fivecrop doctor says what works here");
});
