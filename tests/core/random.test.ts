import { describe, expect, test } from "vitest";
import { random } from "../../core/random.ts";

const draw = (count: number, next: () => number): number[] => Array.from({ length: count }, next);
const mean = (values: readonly number[]): number => values.reduce((a, b) => a + b) / values.length;

describe("random", () => {
  test("a seed is a stream; another seed or another name is another", () => {
    expect(draw(5, random(7).uniform)).toEqual(draw(5, random(7).uniform));
    expect(draw(5, random(8).uniform)).not.toEqual(draw(5, random(7).uniform));
    expect(draw(5, random(2 ** 40 + 7).uniform)).not.toEqual(draw(5, random(7).uniform));
    const streams = [
      random(7).fork("a"),
      random(7).fork("b"),
      random(7).fork("a", 1),
      random(7).fork("a", "1"),
      random(7).fork("a").fork("b"),
    ];
    expect(new Set(streams.map((s) => draw(4, s.uniform).join())).size).toBe(streams.length);
  });

  test("a fork depends on seed and names, not on what was drawn", () => {
    const used = random(7);
    draw(100, used.uniform);
    expect(draw(5, used.fork("x").uniform)).toEqual(draw(5, random(7).fork("x").uniform));
  });

  test("many at once are the same as one at a time, and the stream goes on behind them", () => {
    const [single, many] = [random(3), random(3)];
    expect([...many.uniforms(1000)]).toEqual(draw(1000, single.uniform));
    expect([...many.normals(40_000, 0.3)]).toEqual(draw(40_000, () => Math.fround(single.normal() * 0.3)));
    expect([...many.uniforms(0), ...many.normals(0, 1)]).toEqual([]);
    expect(many.uniform()).toBe(single.uniform());
  });

  test("uniform numbers have 24 bits, lie below 1, and fill their interval evenly", () => {
    const values = draw(100_000, random(1).uniform);
    expect(values.every((u) => u >= 0 && u < 1 && Number.isInteger(u * 2 ** 24) && Math.fround(u) === u)).toBe(true);
    const counts = Array<number>(10).fill(0);
    for (const u of values) counts[Math.floor(u * 10)]++;
    for (const count of counts) expect(Math.abs(count - 10_000)).toBeLessThan(500); // five standard deviations
  });

  test("integers are even, normals have mean 0 and variance 1, permutations hold every index once", () => {
    const stream = random(2);
    const integers = draw(60_000, () => stream.integer(6));
    for (let i = 0; i < 6; i++) expect(Math.abs(integers.filter((n) => n === i).length - 10_000)).toBeLessThan(500);
    const normals = draw(100_000, stream.normal);
    expect(mean(normals)).toBeCloseTo(0, 1);
    expect(mean(normals.map((n) => n * n))).toBeCloseTo(1, 1);
    const order = stream.permutation(1000);
    expect([...order].sort((a, b) => a - b)).toEqual(Array.from({ length: 1000 }, (_, i) => i));
    expect([...order]).not.toEqual([...order].sort((a, b) => a - b));
  });
});
