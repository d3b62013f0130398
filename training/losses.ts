import type { GraphBuilder } from "../models/graph/builder.ts";
import { knownShape, type Value } from "../models/graph/graph.ts";
import { reduceSum } from "../models/ops/shared.ts";

/**
 * Mean softmax cross-entropy, −1/N · Σᵢ Σₖ tᵢₖ · ln softmax(zᵢ)ₖ: logits z and targets t [N, classes], a row of probabilities each → scalar.
 * One-hot, smoothed and mixed labels are the same thing: data.
 */
export function softmaxCrossEntropy(g: GraphBuilder, logits: Value, targets: Value): Value {
  const [batch] = knownShape(logits);
  const agreement = g.add("Mul", [targets, g.add("LogSoftmax", [logits], { axis: 1 }, "log-probabilities")]);
  return g.add("Mul", [reduceSum(g, agreement, [0, 1], false), g.scalar(-1 / batch)], {}, "loss");
}
