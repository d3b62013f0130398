import { expect, test } from "vitest";
import { createSession } from "../../core/session.node.ts";
import { createSession as createInThread } from "../../core/session.worker.node.ts";
import { poolSessions } from "../../core/session-pool.ts";
import { tensor } from "../../core/tensor.ts";
import { model, SIDE } from "../inference/models.ts";

const images = (seed: number) =>
  tensor(
    "float32",
    [2, 1, SIDE, SIDE],
    Float32Array.from({ length: 2 * SIDE * SIDE }, (_, i) => ((i * seed) % 17) / 17),
  );

test("runs that come at once are shared out, and each gets its own answer", async () => {
  const runs = [0, 0, 0];
  let made = 0;
  const pool = await poolSessions(3, async () => {
    const place = made++;
    const session = await createInThread(model(), { threads: 1 });
    const run: typeof session.run = (feeds, fetches) => {
      runs[place]++;
      return session.run(feeds, fetches);
    };
    return { ...session, run };
  });
  const alone = await createSession(model());
  expect({ inputs: pool.inputs, outputs: pool.outputs }).toEqual({ inputs: alone.inputs, outputs: alone.outputs });
  const answers = await Promise.all(Array.from({ length: 12 }, (_, i) => pool.run({ images: images(i) })));
  for (const [i, answer] of answers.entries()) expect(answer).toEqual(await alone.run({ images: images(i) }));
  expect(runs).toEqual([4, 4, 4]);
  await pool.run({ images: images(1) });
  await pool.run({ images: images(1) });
  expect(runs, "one that is free is taken").toEqual([6, 4, 4]);
  await pool.dispose();
  await expect(pool.run({ images: images(1) })).rejects.toThrow("was disposed of");
  await alone.dispose();
});

test("where one cannot be made, the others are disposed of, and its error is told", async () => {
  let disposed = 0;
  let made = 0;
  const pool = poolSessions(3, async () => {
    if (made++ === 1) return createSession(new Uint8Array([1, 2, 3]));
    const session = await createSession(model());
    return {
      ...session,
      dispose: () => {
        disposed++;
        return session.dispose();
      },
    };
  });
  await expect(pool).rejects.toThrow("ONNX Runtime cannot load it");
  expect(disposed).toBe(2);
});
