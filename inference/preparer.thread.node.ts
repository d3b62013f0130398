// A thread that reads pictures and makes their views.
import { workerData } from "node:worker_threads";
import { answerCalls } from "../core/answers.node.ts";
import type { ThreadData } from "../core/calls.node.ts";
import { threadState } from "../core/thread-state.node.ts";
import type { PreprocessSpec } from "../pipeline/preprocess.ts";
import type { View } from "../pipeline/views.ts";
import { type Crops, cropsOf } from "./crops.ts";
import { type ImageSource, toImage } from "./image-source.node.ts";

export interface PrepareQuestion {
  readonly source: ImageSource;
  readonly views: readonly View[];
}

const { data: spec, state } = workerData as ThreadData<PreprocessSpec>;

answerCalls<PrepareQuestion, Crops>(threadState(state), {
  async answer({ source, views }) {
    const crops = cropsOf(await toImage(source), views, spec);
    return [crops, [crops.buffer]];
  },
});
