import { deviceFault } from "../../core/device-fault.ts";
import { createSession } from "../../core/session.node.ts";
import type { SessionMaker } from "../../core/session.ts";

/** What a runtime does to a step's results, or says instead. */
export const runtimeThat =
  (change: (results: Record<string, Float32Array>, images: readonly number[]) => void): SessionMaker =>
  async (model, options) => {
    const session = await createSession(model, options);
    return {
      ...session,
      async run(feeds, fetches) {
        const results = await session.run(feeds, fetches);
        change(
          Object.fromEntries(Object.entries(results).map(([name, { data }]) => [name, data as Float32Array])),
          feeds.images?.shape ?? [],
        );
        return results;
      },
    };
  };

/** A runtime with memory for so many images, which says what CUDA's says. */
export const withMemoryFor = (fits: (images: readonly number[]) => boolean): SessionMaker =>
  runtimeThat((_results, images) => {
    if (!fits(images))
      throw deviceFault("the training step", new Error("Failed to allocate memory for requested buffer of size 939524096"));
  });
