import type { Backbone } from "./backbones.ts";
import type { Graph, Value } from "./graph/graph.ts";
import { flatten } from "./layers/activations.ts";
import { type Head, head } from "./layers/head.ts";
import type { Initializer } from "./layers/initializers.ts";
import { l2Normalize } from "./layers/l2-normalize.ts";
import { type Layer, rootScope } from "./layers/layer.ts";
import { sequential } from "./layers/sequential.ts";
import { type Network, network } from "./network.ts";
import { graphBuilder } from "./ops/index.ts";

/** The length of normalized features. With 1 a linear layer would need weights ten times as large, and so many more steps. */
const LENGTH = 16;

const classifier = (classes: number, wanted: Head): Layer => sequential({ normalize: l2Normalize(LENGTH), fc: head(classes, wanted) });

/** What is trained: features [N, width, 1, 1] → logits, by L2 normalization and a linear layer, or more of them. */
export function classifierNetwork(name: string, { features }: Backbone, classes: number, wanted: Head): Network {
  const layers = classifier(classes, wanted);
  return network(name, (x, scope) => layers(flatten(x, scope.child("flatten")), scope), { input: [features, 1, 1] });
}

/** What is exported: the backbone's own nodes and the same layers behind them, images → logits. Only the classifier's weights are parameters. */
export function networkOnBackbone(name: string, backbone: Graph, classes: number, wanted: Head): Network {
  const g = graphBuilder(backbone);
  const parameters = new Map<Value, Initializer>();
  const logits = classifier(classes, wanted)(backbone.outputs[0], rootScope(g, parameters));
  return { name, graph: g.build(name, [logits]), parameters };
}
