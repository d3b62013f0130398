import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import { decodedBytes } from "../../inference/decoded-bytes.node.ts";
import { createMemoryQueue } from "../../inference/memory-queue.ts";
import { encodePng } from "../../pipeline/encode.node.ts";
import { createImage } from "../../pipeline/image.ts";
import { picture } from "./models.ts";

describe("what is under way holds so many bytes at most", () => {
  test("jobs start in their order, a larger one goes alone", async () => {
    const queue = createMemoryQueue(100);
    const started: number[] = [];
    let held = 0;
    let most = 0;
    const sizes = [40, 40, 40, 250, 10, 0, 90, 100, 30];
    const add = (bytes: number, i: number) =>
      queue.add({
        bytes,
        start: async () => {
          started.push(i);
          if (bytes > 100) expect(held).toBe(0);
          held += bytes;
          if (bytes <= 100) most = Math.max(most, held);
          await setTimeout(5 - (i % 3));
          held -= bytes;
          return i;
        },
      });
    expect(await Promise.all(sizes.map(add))).toEqual(sizes.map((_, i) => i));
    expect(started).toEqual(sizes.map((_, i) => i));
    expect(most).toBe(100);
  });

  test("a job that fails gives its bytes back; what nobody has room for waits; the rest can be cleared", async () => {
    const queue = createMemoryQueue(10);
    const failed = queue.add({ bytes: 10, start: () => Promise.reject(new Error("broken")) });
    const next = queue.add({ bytes: 10, start: () => Promise.resolve("next") });
    await expect(failed).rejects.toThrow("broken");
    expect(await next).toBe("next");
    const waiting = queue.add({ bytes: 1, start: () => undefined });
    queue.clear(new Error("over"));
    await expect(waiting).rejects.toThrow("over");
  });
});

test("a picture's decoded bytes are its header's, of a path, of bytes and of pixels", async () => {
  const folder = mkdtempSync(join(tmpdir(), "fivecrop-bytes-"));
  const gray = picture(0, 1, 3000, 1400);
  const png = await encodePng(createImage(2000, 700, 3, gray.data));
  writeFileSync(join(folder, "p.png"), png);
  expect(png.length).toBeGreaterThan(2 ** 19);
  expect(await Promise.all([gray, png, join(folder, "p.png"), join(folder, "none.png")].map(decodedBytes))).toEqual([
    4_200_000, 4_200_000, 4_200_000, 0,
  ]);
  rmSync(folder, { recursive: true });
});
