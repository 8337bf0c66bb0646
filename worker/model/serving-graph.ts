import type { Weights } from "./checkpoint/weights.ts";
import { ELEMENT, Graph } from "./onnx/graph.ts";
import { head } from "./tresnet/heads.ts";
import { floatConstant } from "./tresnet/layers.ts";
import type { Net, Precision } from "./tresnet/layers.ts";
import type { Features } from "./tresnet/tresnet.ts";
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
  /** `fp16`: weights and arithmetic of the body; the head and the scores stay fp32. */
  readonly precision: Precision;
  /** How many of the highest scores the output `top` gives. */
  readonly topK: number;
}

/**
 * The whole graph, pixels to `logits` and `scores`, both float32 [N, numClasses], and to `top`, float32 [N, 2K]: an image's K highest scores, best first,
 * then their classes' numbers. Throws ModelError when the checkpoint does not fit the architecture.
 */
export function servingGraph(architecture: Architecture, weights: Weights, serving: Serving): Graph {
  const graph = new Graph();
  const { precision } = serving;
  const net: Net = { graph, weights, precision, leakySlopes: architecture.leakySlopes };
  const range = serving.input === "uint8" ? 255 : 1;
  const pixels = centred(net, inputPixels(graph, serving), serving.mean, range);
  // Scaling is folded into the stem; the mean is not, because the stem pads its centred input with zeros.
  const colourScale = serving.std.map((std) => 1 / (std * range));
  const features = widened(net, tresnetBody(net, pixels, architecture, colourScale));
  const logits = head({ ...net, precision: "fp32" }, features, architecture.head, architecture.numClasses);
  weights.assertAllTaken();

  const scores =
    serving.activation === "softmax"
      ? graph.node("Softmax", "scores", [logits], { axis: -1 })
      : graph.node("Sigmoid", "scores", [logits]);
  graph.output(logits, "float32", ["N", architecture.numClasses]);
  graph.output(scores, "float32", ["N", architecture.numClasses]);
  graph.output(top(graph, scores, serving.topK), "float32", ["N", 2 * serving.topK]);
  return graph;
}

/** The input as floats [N,3,H,W]; bytes are transposed while they are still bytes. */
function inputPixels(graph: Graph, { input, size, precision }: Serving): string {
  const to = ELEMENT[precision === "fp16" ? "float16" : "float32"];
  if (input === "float") {
    const floats = graph.input("input", "float32", ["N", 3, "H", "W"]);
    return precision === "fp16" ? graph.node("Cast", "input.half", [floats], { to }) : floats;
  }
  const image = graph.input("image", "uint8", ["N", ...size, 3]);
  const planar = graph.node("Transpose", "image.nchw", [image], { perm: [0, 3, 1, 2] });
  return graph.node("Cast", "image.float", [planar], { to });
}

function centred(net: Net, pixels: string, mean: readonly number[], range: number): string {
  if (mean.every((m) => m === 0)) return pixels;
  const offset = floatConstant(net, "image.mean", [1, 3, 1, 1], () =>
    Float64Array.from(mean, (m) => m * range),
  );
  return net.graph.node("Sub", "image.centred", [pixels, offset]);
}

function widened({ graph, precision }: Net, features: Features): Features {
  if (precision === "fp32") return features;
  return { ...features, map: graph.node("Cast", "body.float", [features.map], { to: ELEMENT.float32 }) };
}

/** One tensor of scores and classes is one copy from the device; float32 counts classes exactly up to 2^24. */
function top(graph: Graph, scores: string, k: number): string {
  graph.nodes.push({
    name: "top.sorted",
    opType: "TopK",
    inputs: [scores, graph.int64("top.k", [k])],
    outputs: ["top.scores", "top.indices"],
    attributes: { axis: -1, largest: 1, sorted: 1 },
  });
  const indices = graph.node("Cast", "top.classes", ["top.indices"], { to: ELEMENT.float32 });
  return graph.node("Concat", "top", ["top.scores", indices], { axis: -1 });
}
