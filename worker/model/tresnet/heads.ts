import { parameter } from "./layers.ts";
import type { Net } from "./layers.ts";
import { mlDecoderHead } from "./ml-decoder.ts";
import type { Features } from "./tresnet.ts";
import type { HeadKind } from "./variants.ts";

/** The network's head, under the checkpoint's `head.`: a map to `logits` [N, numClasses], float32. */
export function head(net: Net, features: Features, kind: HeadKind, numClasses: number): string {
  if (kind === "ml_decoder") return mlDecoderHead(net, features, numClasses);
  return kind === "bottleneck"
    ? bottleneckHead(net, features, numClasses)
    : linearHead(net, features, numClasses);
}

/** A linear layer on the map's mean. */
function linearHead(net: Net, features: Features, numClasses: number): string {
  return linear(net, globalPool(net, features), "head.fc", "logits", features.channels, numClasses);
}

/** ASL's head for very many classes: two linear layers on the map's mean with nothing between. */
function bottleneckHead(net: Net, features: Features, numClasses: number): string {
  const width = net.weights.dimension("head.fc.embedding_generator.0.weight", 0);
  const embedding = linear(
    net,
    globalPool(net, features),
    "head.fc.embedding_generator.0",
    "head.embedding",
    features.channels,
    width,
  );
  return linear(net, embedding, "head.fc.FC", "logits", width, numClasses);
}

function globalPool({ graph }: Net, features: Features): string {
  const mean = graph.node("GlobalAveragePool", "head.mean", [features.map]);
  return graph.node("Flatten", "head.global_pool", [mean]);
}

function linear(net: Net, x: string, path: string, name: string, from: number, to: number): string {
  const weight = parameter(net, `${path}.weight`, [to, from]);
  return net.graph.node("Gemm", name, [x, weight, parameter(net, `${path}.bias`, [to])], { transB: 1 });
}
