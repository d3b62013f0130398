// A thread that reads pictures and makes their views.
import { workerData } from "node:worker_threads";
import { answerCalls } from "../core/answers.node.ts";
import type { ThreadData } from "../core/calls.node.ts";
import { threadState } from "../core/thread-state.node.ts";
import type { View } from "../pipeline/views.ts";
import type { Crops } from "./crops.ts";
import type { ImageSource } from "./image-source.node.ts";
import { type ReadCropsOptions, readCrops } from "./read-crops.node.ts";

export interface PrepareQuestion {
  readonly source: ImageSource;
  readonly views: readonly View[];
}

const { data, state } = workerData as ThreadData<ReadCropsOptions>;

answerCalls<PrepareQuestion, Crops>(threadState(state), {
  async answer({ source, views }) {
    const crops = await readCrops(source, views, data);
    return [crops, [crops.buffer]];
  },
});
