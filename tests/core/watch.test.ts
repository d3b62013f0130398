import { expect, test } from "vitest";
import { watch } from "../../core/watch.ts";

const collect = async <T>(steps: AsyncGenerator<T>): Promise<T[]> => {
  const found: T[] = [];
  for await (const step of steps) found.push(step);
  return found;
};

test("reads now and then, and at the end", async () => {
  let count = 0;
  const work = (async () => {
    for (; count < 5; count++) await new Promise((resolve) => setTimeout(resolve, 30));
  })();
  const seen = await collect(watch(work, () => count, 10));
  expect(seen.length).toBeGreaterThan(2);
  expect(seen.at(-1)).toBe(5);
  expect(seen).toEqual(seen.toSorted((a, b) => a - b));
  expect(await collect(watch(Promise.resolve(), () => "done"))).toEqual(["done"]);
});

test("what the work throws is thrown, after a last look; left early, it is nobody's business", async () => {
  const seen: string[] = [];
  const failing = async () => {
    for await (const step of watch(Promise.reject(new Error("full")), () => "looked")) seen.push(step);
  };
  await expect(failing()).rejects.toThrow("full");
  expect(seen).toEqual(["looked"]);
  for await (const _ of watch(new Promise((_, reject) => setTimeout(reject, 30, new Error("late"))), () => 0, 1)) break;
  await new Promise((resolve) => setTimeout(resolve, 60));
});
