import { expect, it } from "vitest";
import { createSession } from "../../core/session.node.ts";
import { float32, zeros } from "../../core/tensor.ts";
import { serialize } from "../../export/serialize.ts";
import { graphBuilder } from "../../models/ops/index.ts";

const SIZE = 2 ** 20;

async function doubling() {
  const g = graphBuilder();
  const x = g.input("x", "float32", [SIZE]);
  const [twice, plus] = [g.add("Mul", [x, g.scalar(2)], {}, "twice"), g.add("Add", [x, g.scalar(1)], {}, "plus")];
  return createSession(serialize(g.build("doubling", [twice, plus])), { name: "doubling", intoTensors: true });
}

it("computes into the tensors that are given, and copies none of them", async () => {
  const session = await doubling();
  const x = float32(new Float32Array(SIZE).fill(3));
  const results = { twice: zeros("float32", [SIZE]), plus: zeros("float32", [SIZE]) };
  const before = process.memoryUsage().arrayBuffers;
  for (let i = 0; i < 20; i++) await session.run({ x }, results);
  expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(4 * SIZE); // 20 runs that copied both would have 160 MB
  expect([results.twice.data[0], results.twice.data[SIZE - 1], results.plus.data[5]]).toEqual([6, 6, 4]);
  await session.dispose();
});

it("shows the model's own outputs, and gives new arrays where none are given", async () => {
  const session = await doubling();
  expect(session.outputs.map(({ name }) => name)).toEqual(["twice", "plus"]);
  const { twice } = await session.run({ x: float32(new Float32Array(SIZE).fill(0.5)) }, ["twice"]);
  expect(twice.data[7]).toBe(1);
  expect(Object.keys(await session.run({ x: zeros("float32", [SIZE]) }))).toEqual(["twice", "plus"]);
  await session.dispose();
});

it("writes a result over its own input", async () => {
  const session = await doubling();
  const x = float32(new Float32Array(SIZE).fill(3));
  await session.run({ x }, { plus: x, twice: zeros("float32", [SIZE]) });
  expect(x.data[0]).toBe(4);
  await session.run({ x }, { plus: x });
  expect(x.data[0]).toBe(5);
  await session.dispose();
});

it("says what failed before everything was computed", async () => {
  const session = await doubling();
  const results = { twice: zeros("float32", [SIZE]), plus: zeros("float32", [SIZE]) };
  await expect(session.run({ x: zeros("float32", [3]) }, results)).rejects.toThrow(/doubling: .*dimension/);
  await session.dispose();
});
