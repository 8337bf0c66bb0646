import { parameter } from "./layers.ts";
import type { Net } from "./layers.ts";
import type { Features } from "./tresnet.ts";

/** Mean over the map, then a linear layer: logits [N, numClasses]. */
export function linearHead(net: Net, features: Features, numClasses: number): string {
  const { graph } = net;
  const mean = graph.node("GlobalAveragePool", "head.mean", [features.map]);
  const flat = graph.node("Flatten", "head.global_pool", [mean]);
  const weight = parameter(net, "head.fc.weight", [numClasses, features.channels]);
  return graph.node("Gemm", "logits", [flat, weight, parameter(net, "head.fc.bias", [numClasses])], {
    transB: 1,
  });
}
