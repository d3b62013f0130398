import {
  averagePool2d,
  batchNorm,
  conv2d,
  flatten,
  type Head,
  head,
  type Layer,
  maxPool2d,
  relu,
  residual,
  sequential,
} from "../layers/index.ts";

const block = (filters: number): Layer =>
  residual(
    sequential({
      inner_block: sequential([conv2d(filters, 3, { padding: 1 }), batchNorm, relu, conv2d(filters, 3, { padding: 1 }), batchNorm]),
    }),
  );
const down = (filters: number): Layer => sequential([conv2d(filters, 3, { stride: 2, padding: 1 }), batchNorm, relu]);
const stem = [conv2d(64, 7, { stride: 2, padding: 3 }), batchNorm, relu, maxPool2d(3, { stride: 2, padding: 1 })];

/** A residual network of one block a stage for MiniPlaces, 64×64: 7,884,516 parameters with 100 classes. */
export const miniResnet = (classes: number, wanted: Head): Layer =>
  sequential({
    backbone: sequential([sequential([...stem, block(64)]), down(128), block(128), down(256), block(256), down(512), block(512)]),
    avgpool: averagePool2d(2, { stride: 1 }),
    flatten,
    fc: head(classes, wanted),
  });
