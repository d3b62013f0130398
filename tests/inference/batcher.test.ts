import { describe, expect, test } from "vitest";
import { FivecropError } from "../../core/errors.ts";
import { createBatcher } from "../../inference/batcher.ts";

const wait = (milliseconds: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, milliseconds));

/** A batcher that doubles numbers, and what it was asked. */
function doubling({ most, atOnce = 1, fails = -1 }: { readonly most: number; readonly atOnce?: number; readonly fails?: number }) {
  const batches: (readonly number[])[] = [];
  let running = 0;
  let mostRunning = 0;
  const batcher = createBatcher<number, number>({
    most,
    atOnce,
    async run(items) {
      batches.push(items);
      mostRunning = Math.max(mostRunning, ++running);
      await wait(5);
      running--;
      if (items.includes(fails)) throw new FivecropError(`cannot double ${fails}`);
      return items.map((item) => 2 * item);
    },
  });
  return { batcher, batches, mostRunning: () => mostRunning };
}

describe("a batcher", () => {
  test("one item goes at once, those that come together go together, and a batch holds no more than it may", async () => {
    const { batcher, batches } = doubling({ most: 4 });
    expect(await batcher.add(1, async () => 21)).toBe(42);
    const answers = await Promise.all([1, 2, 3, 4, 5].map((i) => batcher.add(1, async () => i)));
    expect(answers).toEqual([2, 4, 6, 8, 10]);
    expect(batches).toEqual([[21], [1, 2, 3, 4], [5]]);
  });

  test("sizes count, an item is never torn, and one that is larger than a batch goes alone", async () => {
    const { batcher, batches } = doubling({ most: 4 });
    await Promise.all([3, 2, 2, 9, 1].map((size, i) => batcher.add(size, async () => i)));
    expect(batches).toEqual([[0], [1, 2], [3], [4]]);
  });

  test("answers come in the order of the calls, also where preparing takes longer for the first and one fails", async () => {
    const { batcher } = doubling({ most: 2, atOnce: 2 });
    const order: number[] = [];
    const asked = Array.from({ length: 9 }, (_, i) => {
      const answer = batcher.add(1, async () => {
        await wait(i % 3 === 0 ? 20 : 1);
        if (i === 4) throw new FivecropError("cannot prepare 4");
        return i;
      });
      const note = (): void => {
        order.push(i);
      };
      answer.then(note, note);
      return answer;
    });
    const settled = await Promise.allSettled(asked);
    expect(order).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8]);
    expect(settled.map((one) => (one.status === "fulfilled" ? one.value : one.reason.message))).toEqual([
      ...[0, 2, 4, 6],
      "cannot prepare 4",
      ...[10, 12, 14, 16],
    ]);
  });

  test("a batch that fails takes its own items, and no others, with it", async () => {
    const { batcher } = doubling({ most: 2, fails: 2 });
    const settled = await Promise.allSettled([1, 2, 3, 4].map((i) => batcher.add(1, async () => i)));
    expect(settled.map(({ status }) => status)).toEqual(["rejected", "rejected", "fulfilled", "fulfilled"]);
  });

  test("of a thousand items only three batches are prepared ahead, and as many batches run as may", async () => {
    const { batcher, mostRunning } = doubling({ most: 10, atOnce: 2 });
    let begun = 0;
    let mostHeld = 0;
    let answered = 0;
    const asked = Array.from({ length: 1000 }, (_, i) =>
      batcher
        .add(1, async () => {
          mostHeld = Math.max(mostHeld, ++begun - answered);
          return i;
        })
        .then((doubled) => {
          answered++;
          return doubled;
        }),
    );
    expect(await Promise.all(asked)).toEqual(Array.from({ length: 1000 }, (_, i) => 2 * i));
    expect(mostHeld).toBeLessThanOrEqual(40); // three batches, and the answers of one that are on their way
    expect(mostRunning()).toBe(2);
  });

  test("close rejects what waits and what comes", async () => {
    const { batcher } = doubling({ most: 1 });
    const asked = [1, 2, 3].map((i) => batcher.add(1, async () => i));
    await wait(0);
    batcher.close(new FivecropError("closed"));
    const settled = await Promise.allSettled([...asked, batcher.add(1, async () => 4)]);
    expect(settled.map(({ status }) => status)).toEqual(["fulfilled", "rejected", "rejected", "rejected"]);
  });
});
