import { execFile } from "node:child_process";
import { pathToFileURL } from "node:url";
import { promisify } from "node:util";
import { describe, expect, test } from "vitest";
import { FivecropError, UsageError } from "../../core/errors.ts";
import { createSession as createDirect } from "../../core/session.node.ts";
import { createSession } from "../../core/session.worker.node.ts";
import { float32, tensor, zeros } from "../../core/tensor.ts";
import { serialize } from "../../export/serialize.ts";
import { graphBuilder } from "../../models/ops/index.ts";
import { model, SIDE } from "../inference/models.ts";

const images = (n: number) =>
  tensor(
    "float32",
    [n, 1, SIDE, SIDE],
    Float32Array.from({ length: n * SIDE * SIDE }, (_, i) => (i % 17) / 17),
  );

/** x · x, again and again: a run that takes a while. */
function slowModel(side: number, times: number): Uint8Array {
  const g = graphBuilder();
  const x = g.input("x", "float32", [side, side]);
  let y = x;
  for (let i = 0; i < times; i++) y = g.add("MatMul", [y, x], {}, `power${i}`);
  return serialize(g.build("slow", [y]));
}

describe("a session in a thread", () => {
  test("says and answers what a session in this thread does", async () => {
    const [here, there] = await Promise.all([createDirect(model()), createSession(model())]);
    expect({ inputs: there.inputs, outputs: there.outputs }).toEqual({ inputs: here.inputs, outputs: here.outputs });
    expect(await there.run({ images: images(3) })).toEqual(await here.run({ images: images(3) }));
    await Promise.all([here.dispose(), there.dispose()]);
  });

  test("feeds stay with the caller, a part of an array is sent alone, and results go where they are wanted", async () => {
    const session = await createSession(model());
    const all = images(3);
    const second = tensor("float32", [1, 1, SIDE, SIDE], all.data.subarray(SIDE * SIDE, 2 * SIDE * SIDE));
    const { logits } = await session.run({ images: all });
    const into = zeros("float32", [1, 4]);
    const { logits: same } = await session.run({ images: second }, { logits: into });
    expect(same).toBe(into);
    expect([...into.data]).toEqual([...logits.data.subarray(4, 8)]);
    expect(all.data).toHaveLength(3 * SIDE * SIDE);
    await session.dispose();
  });

  test("giveFeeds: their memory is handed over", async () => {
    const session = await createSession(model(), { giveFeeds: true });
    const given = images(2);
    await session.run({ images: given });
    expect(given.data).toHaveLength(0);
    await session.dispose();
  });

  test.each([
    ["this thread", createDirect],
    ["a thread", createSession],
  ])("in %s, a number of threads on a card is refused before the card is looked for", async (_, make) => {
    const refused = make(model(), { device: "cuda", threads: 4 });
    await expect(refused).rejects.toThrow(UsageError);
    await expect(refused).rejects.toThrow(
      "threads: a session on cuda has no number of its own, received 4. To fix: leave it out, or choose the device cpu.",
    );
  });

  test("errors arrive as errors, and the session goes on", async () => {
    await expect(createSession(new Uint8Array([1, 2, 3]))).rejects.toThrow(/^the model: ONNX Runtime cannot load it: [^\n]+$/);
    const session = await createSession(model());
    const failed = session.run({ images: float32([1, 2, 3]) });
    await expect(failed).rejects.toThrow(FivecropError);
    await expect(failed).rejects.toThrow("the model: ONNX Runtime could not run its graph");
    expect((await session.run({ images: images(1) })).logits.shape).toEqual([1, 4]);
    await session.dispose();
  });

  test("the event loop stays free while it runs", async () => {
    const session = await createSession(slowModel(512, 60), { threads: 1 });
    const x = zeros("float32", [512, 512]);
    let ticks = 0;
    const timer = setInterval(() => ticks++, 10);
    const start = performance.now();
    while (performance.now() - start < 500) await session.run({ x });
    const expected = (performance.now() - start) / 10;
    clearInterval(timer);
    expect(ticks).toBeGreaterThan(expected / 4); // blocked, it would be one tick a run
    await session.dispose();
  });

  test("dispose rejects what still runs, and may be called again", async () => {
    const session = await createSession(slowModel(256, 200), { threads: 1 });
    const running = session.run({ x: zeros("float32", [256, 256]) });
    const rejected = expect(running).rejects.toThrow("the thread of the session was disposed of");
    await session.dispose();
    await rejected;
    await session.dispose();
    await expect(session.run({ x: zeros("float32", [256, 256]) })).rejects.toThrow("was disposed of");
  });

  test("the process can exit in the midst of a run: the thread finishes it, and starts no other", async () => {
    const script = `
      const { createSession } = await import("${pathToFileURL("dist/core/session.worker.node.js")}");
      const session = await createSession(Uint8Array.from(Buffer.from("${Buffer.from(slowModel(256, 200)).toString("base64")}", "base64")), { threads: 1 });
      const feeds = { x: { dtype: "float32", shape: [256, 256], data: new Float32Array(65536) } };
      for (let i = 0; i < 1000; i++) session.run(feeds);
      setTimeout(() => process.exit(7), 200);`;
    const exited = promisify(execFile)(process.execPath, ["--input-type=module", "-e", script], { timeout: 30_000 });
    await expect(exited).rejects.toMatchObject({ code: 7, stderr: "" });
  });

  test("the process can exit without dispose", async () => {
    const script = `
      const { createSession } = await import("${pathToFileURL("dist/core/session.worker.node.js")}");
      const session = await createSession(Uint8Array.from(Buffer.from("${Buffer.from(model()).toString("base64")}", "base64")));
      const { logits } = await session.run({ images: { dtype: "float32", shape: [1, 1, 8, 8], data: new Float32Array(64) } });
      console.log(String(logits.shape));`;
    const { stdout } = await promisify(execFile)(process.execPath, ["--input-type=module", "-e", script], { timeout: 30_000 });
    expect(stdout).toBe("1,4\n");
  });
});
