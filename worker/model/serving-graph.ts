import type { Weights } from "./checkpoint/weights.ts";
import { Graph } from "./onnx/graph.ts";
import { linearHead } from "./tresnet/heads.ts";
import { floatBytes } from "./tresnet/layers.ts";
import type { Net } from "./tresnet/layers.ts";
import { tresnetBody } from "./tresnet/tresnet.ts";
import type { Architecture } from "./tresnet/variants.ts";

/** What surrounds the network in the graph that is served. */
export interface Serving {
  /** `uint8`: `image` [N,H,W,3], 0 to 255. `float`: `input` float32 [N,3,H,W], 0 to 1, of any H and W. */
  readonly input: "uint8" | "float";
  /** Height and width of `image`. */
  readonly size: readonly [number, number];
  /** RGB, in units of the 0 to 1 range. */
  readonly mean: readonly number[];
  readonly std: readonly number[];
  readonly activation: "softmax" | "sigmoid";
}

/** The whole graph, pixels to `logits` and `scores`, both float32 [N, numClasses]. Throws ModelError when the checkpoint does not fit the architecture. */
export function servingGraph(architecture: Architecture, weights: Weights, serving: Serving): Graph {
  const graph = new Graph();
  const net: Net = { graph, weights, leakySlopes: architecture.leakySlopes };
  const range = serving.input === "uint8" ? 255 : 1;
  const pixels = centred(graph, inputPixels(graph, serving), serving.mean, range);
  // Scaling is folded into the stem; the mean is not, because the stem pads its centred input with zeros.
  const colourScale = serving.std.map((std) => 1 / (std * range));
  const features = tresnetBody(net, pixels, architecture, colourScale);
  const logits = linearHead(net, features, architecture.numClasses);
  weights.assertAllTaken();

  const scores =
    serving.activation === "softmax"
      ? graph.node("Softmax", "scores", [logits], { axis: -1 })
      : graph.node("Sigmoid", "scores", [logits]);
  graph.output(logits, "float32", ["N", architecture.numClasses]);
  graph.output(scores, "float32", ["N", architecture.numClasses]);
  return graph;
}

/** The input as float [N,3,H,W]; bytes are transposed while they are still bytes. */
function inputPixels(graph: Graph, { input, size }: Serving): string {
  if (input === "float") return graph.input("input", "float32", ["N", 3, "H", "W"]);
  const image = graph.input("image", "uint8", ["N", ...size, 3]);
  const planar = graph.node("Transpose", "image.nchw", [image], { perm: [0, 3, 1, 2] });
  return graph.node("Cast", "image.float", [planar], { to: 1 });
}

function centred(graph: Graph, pixels: string, mean: readonly number[], range: number): string {
  if (mean.every((m) => m === 0)) return pixels;
  const read = () => floatBytes(Float32Array.from(mean, (m) => m * range));
  return graph.node("Sub", "image.centred", [
    pixels,
    graph.constant("image.mean", "float32", [1, 3, 1, 1], read),
  ]);
}
