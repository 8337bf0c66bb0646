import { ModelError } from "../model-error.ts";
import { conv1x1, floatConstant, parameter } from "./layers.ts";
import type { Net } from "./layers.ts";
import type { Features } from "./tresnet.ts";

const ATTENTION_HEADS = 8;
const LAYER_NORM_EPS = 1e-5;
const PREFIX = "head.decoder";
const LAYER = `${PREFIX}.layers.0`;

/**
 * ML-Decoder (Ridnik et al. 2021): fixed queries, one a class or one a group of classes, attend once to the map; a feed-forward layer follows,
 * and every query is projected to the logits of its group. What depends on the queries alone (the first norm, their projection) is computed here.
 */
export function mlDecoderHead(net: Net, features: Features, numClasses: number): string {
  const { graph, weights } = net;
  const queries = weights.dimension(`${PREFIX}.query_embed.weight`, 0);
  const width = weights.dimension(`${PREFIX}.query_embed.weight`, 1);
  if (width % ATTENTION_HEADS !== 0)
    throw new ModelError(
      `${weights.path}: tensor ${PREFIX}.query_embed.weight is ${width} wide, which ${ATTENTION_HEADS} attention heads cannot share.`,
    );
  const shape: Shape = { queries, width, headWidth: width / ATTENTION_HEADS };

  const embedded = conv1x1(net, features.map, `${PREFIX}.embed_standart`, features.channels, width, [
    width,
    features.channels,
  ]);
  const memory = graph.node("Relu", "head.memory", [embedded]);
  const { normed, projected } = constantQueries(net, shape);
  const attended = attention(net, memory, projected, shape);
  let tokens = layerNorm(net, graph.node("Add", "head.attended", [attended, normed]), "norm2", width);
  const inner = weights.dimension(`${LAYER}.linear1.weight`, 0);
  const hidden = graph.node("Relu", "head.hidden", [linear(net, tokens, `${LAYER}.linear1`, width, inner)]);
  const widened = linear(net, hidden, `${LAYER}.linear2`, inner, width);
  tokens = layerNorm(net, graph.node("Add", "head.widened", [tokens, widened]), "norm3", width);
  return groupLogits(net, tokens, shape, numClasses);
}

interface Shape {
  readonly queries: number;
  readonly width: number;
  readonly headWidth: number;
}

/** t = norm1(q + q), the residual of a dropped self-attention, [E,D]; and its scaled query projection, split in heads, [1,heads,E,D/heads]. */
function constantQueries(
  net: Net,
  { queries, width, headWidth }: Shape,
): { normed: string; projected: string } {
  const { weights } = net;
  const embedding = weights.take(`${PREFIX}.query_embed.weight`, [queries, width]);
  const gain = weights.take(`${LAYER}.norm1.weight`, [width]);
  const bias = weights.take(`${LAYER}.norm1.bias`, [width]);
  const inWeight = weights.take(`${LAYER}.multihead_attn.in_proj_weight`, [3 * width, width]);
  const inBias = weights.take(`${LAYER}.multihead_attn.in_proj_bias`, [3 * width]);

  const normed = () => {
    const [q, g, b] = [embedding.read(), gain.read(), bias.read()];
    return normalizeRows(q, width).map((value, i) => value * g[i % width]! + b[i % width]!);
  };
  const projected = () => {
    const [t, w, b] = [normed(), inWeight.read(), inBias.read()];
    const result = new Float32Array(queries * width);
    for (let e = 0; e < queries; e++)
      for (let d = 0; d < width; d++) {
        let sum = b[d]!;
        for (let k = 0; k < width; k++) sum += t[e * width + k]! * w[d * width + k]!;
        const [head, at] = [Math.floor(d / headWidth), d % headWidth];
        result[(head * queries + e) * headWidth + at] = sum / Math.sqrt(headWidth);
      }
    return result;
  };
  return {
    normed: floatConstant(net, "head.queries", [queries, width], normed),
    projected: floatConstant(
      net,
      "head.queries.projected",
      [1, ATTENTION_HEADS, queries, headWidth],
      projected,
    ),
  };
}

/** Rows of 2·x less their mean, by their deviation, in float64. */
function normalizeRows(x: Float32Array, width: number): Float64Array {
  const rows = Float64Array.from(x, (value) => 2 * value);
  for (let start = 0; start < rows.length; start += width) {
    const row = rows.subarray(start, start + width);
    const mean = row.reduce((sum, value) => sum + value, 0) / width;
    const variance = row.reduce((sum, value) => sum + (value - mean) ** 2, 0) / width;
    for (let i = 0; i < width; i++) row[i] = (row[i]! - mean) / Math.sqrt(variance + LAYER_NORM_EPS);
  }
  return rows;
}

/** Multi-head attention of the constant queries to the map: [N,D,H,W] to [N,E,D]. Keys and values come out of 1×1 convolutions already split in heads. */
function attention(
  net: Net,
  memory: string,
  projected: string,
  { queries, width, headWidth }: Shape,
): string {
  const { graph } = net;
  const split = graph.int64("head.split", [0, ATTENTION_HEADS, headWidth, -1]);
  const keys = graph.node("Reshape", "head.keys", [inProjection(net, memory, "key", 1, width), split]);
  const values = graph.node("Reshape", "head.values.columns", [
    inProjection(net, memory, "value", 2, width),
    split,
  ]);
  const valueRows = graph.node("Transpose", "head.values", [values], { perm: [0, 1, 3, 2] });
  const scores = graph.node("MatMul", "head.attention.scores", [projected, keys]);
  const weighted = graph.node("Softmax", "head.attention", [scores], { axis: -1 });
  const mixed = graph.node("MatMul", "head.mixed.heads", [weighted, valueRows]);
  const byQuery = graph.node("Transpose", "head.mixed.queries", [mixed], { perm: [0, 2, 1, 3] });
  const joined = graph.node("Reshape", "head.mixed", [
    byQuery,
    graph.int64("head.join", [0, queries, width]),
  ]);
  return linear(net, joined, `${LAYER}.multihead_attn.out_proj`, width, width);
}

/** Rows `part`·D to (part + 1)·D of the joint projection, as a 1×1 convolution of the map. */
function inProjection(net: Net, memory: string, name: string, part: number, width: number): string {
  const { graph, weights } = net;
  const weight = weights.take(`${LAYER}.multihead_attn.in_proj_weight`, [3 * width, width]);
  const bias = weights.take(`${LAYER}.multihead_attn.in_proj_bias`, [3 * width]);
  const rows = () => weight.read().subarray(part * width * width, (part + 1) * width * width);
  const kernel = floatConstant(net, `head.${name}.weight`, [width, width, 1, 1], rows);
  const shift = floatConstant(net, `head.${name}.bias`, [width], () =>
    bias.read().subarray(part * width, (part + 1) * width),
  );
  return graph.node("Conv", `head.${name}`, [memory, kernel, shift], { kernel_shape: [1, 1] });
}

/** Each query's logits [N,E,F], laid end to end and cut to the classes, plus their bias. */
function groupLogits(net: Net, tokens: string, { queries, width }: Shape, numClasses: number): string {
  const { graph, weights } = net;
  const groupSize = weights.dimension(`${PREFIX}.duplicate_pooling`, 2);
  const pooling = parameter(net, `${PREFIX}.duplicate_pooling`, [queries, width, groupSize]);
  const rows = graph.node("Unsqueeze", "head.rows", [tokens, graph.int64("head.rows.axis", [2])]);
  const groups = graph.node("MatMul", "head.groups", [rows, pooling]);
  let flat = graph.node("Flatten", "head.flat", [groups]);
  if (queries * groupSize !== numClasses) {
    const range = [
      graph.int64("head.cut.start", [0]),
      graph.int64("head.cut.end", [numClasses]),
      graph.int64("head.cut.axis", [1]),
    ];
    flat = graph.node("Slice", "head.cut", [flat, ...range]);
  }
  return graph.node("Add", "logits", [
    flat,
    parameter(net, `${PREFIX}.duplicate_pooling_bias`, [numClasses]),
  ]);
}

/** x·Wᵀ + b over the last axis. */
function linear(net: Net, x: string, path: string, from: number, to: number): string {
  const { graph, weights } = net;
  const weight = weights.take(`${path}.weight`, [to, from]);
  const transposed = floatConstant(net, `${path}.weight`, [from, to], () =>
    transpose(weight.read(), to, from),
  );
  const product = graph.node("MatMul", `${path}.product`, [x, transposed]);
  return graph.node("Add", path, [product, parameter(net, `${path}.bias`, [to])]);
}

function transpose(values: Float32Array, rows: number, columns: number): Float32Array {
  const result = new Float32Array(values.length);
  for (let r = 0; r < rows; r++)
    for (let c = 0; c < columns; c++) result[c * rows + r] = values[r * columns + c]!;
  return result;
}

function layerNorm(net: Net, x: string, name: string, width: number): string {
  const parameters = ["weight", "bias"].map((part) => parameter(net, `${LAYER}.${name}.${part}`, [width]));
  return net.graph.node("LayerNormalization", `head.${name}`, [x, ...parameters], {
    axis: -1,
    epsilon: { float: LAYER_NORM_EPS },
  });
}
