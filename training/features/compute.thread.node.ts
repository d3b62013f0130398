// A thread that reads images, makes their views and runs them through the backbone, one after the other: threads of this kind wait for nobody.
import { workerData } from "node:worker_threads";
import { answerCalls } from "../../core/answers.node.ts";
import type { ThreadData } from "../../core/calls.node.ts";
import { threadState } from "../../core/thread-state.node.ts";
import type { DatasetDescription } from "../../pipeline/dataset.ts";
import { openDataset } from "../../pipeline/datasets/index.ts";
import { type LaneOptions, openLane } from "./lane.node.ts";
import type { ViewRange } from "./run-backbone.ts";

export interface FeatureThreadData extends LaneOptions {
  readonly description: DatasetDescription;
}

const { data, state } = workerData as ThreadData<FeatureThreadData>;
const opened = openDataset(data.description).then((dataset) => openLane(dataset, data));
opened.catch(() => undefined); // each question reports it

answerCalls<ViewRange, Float32Array<ArrayBuffer> | undefined>(threadState(state), {
  inTurn: true,
  async answer(range) {
    const features = await (await opened).compute(range);
    return [features, features ? [features.buffer] : []];
  },
  release: () =>
    opened.then(
      (lane) => lane.dispose(),
      () => undefined, // was reported
    ),
});
