import type { Attribute, Graph, GraphNode } from "./onnx/graph.ts";

/**
 * Multiply-accumulates of one picture of `size` (height, width): those of convolutions (SE and blur included), linear layers and matrix
 * products, as TResNet's tables count them. The graph's shapes are worked out for a batch of one.
 */
export function countMacs(graph: Graph, size: readonly [number, number]): number {
  const known: Record<string, number> = { N: 1, H: size[0], W: size[1] };
  const shapes = new Map<string, readonly number[]>();
  for (const { name, dims } of graph.inputs)
    shapes.set(
      name,
      (dims ?? []).map((d) => (typeof d === "number" ? d : known[d]!)),
    );
  for (const { name, dims } of graph.initializers.values()) shapes.set(name, dims);
  let macs = 0;
  for (const node of graph.nodes) {
    const inputs = node.inputs.map((name) => shapes.get(name)!);
    const shape = outputShape(graph, node, inputs);
    for (const output of node.outputs) shapes.set(output, shape);
    macs += nodeMacs(node, inputs, shape);
  }
  return macs;
}

const product = (values: readonly number[]) => values.reduce((a, b) => a * b, 1);

/** Elements of the blur's kernel, which its two mean pools stand for; only the second of them is padded. */
const BLUR_KERNEL = 9;

function nodeMacs(
  { opType, attributes }: GraphNode,
  inputs: readonly (readonly number[])[],
  output: readonly number[],
): number {
  const [first = [], second = []] = inputs;
  if (opType === "Conv") return product(output.slice(2)) * product(second);
  if (opType === "Gemm") return product(second);
  if (opType === "AveragePool" && attributes["pads"]) return BLUR_KERNEL * product(output);
  if (opType === "MatMul") return product(output) * first.at(-1)!;
  return 0;
}

/** The shape of a node's output; only what the graphs of this folder use is known. */
function outputShape(
  graph: Graph,
  node: GraphNode,
  inputs: readonly (readonly number[])[],
): readonly number[] {
  const { opType, attributes } = node;
  const [x = [], second = []] = inputs;
  const [n = 1, c = 1, h = 1, w = 1] = x;
  switch (opType) {
    case "Transpose":
      return integers(attributes["perm"]).map((axis) => x[axis]!);
    case "SpaceToDepth":
      return [n, c * 16, h / 4, w / 4];
    case "AveragePool":
      return [n, c, ...[h, w].map((side) => poolSide(side, attributes))];
    case "GlobalAveragePool":
      return [n, c, 1, 1];
    case "Conv":
      return [n, second[0]!, ...[h, w].map((side, i) => convSide(side, second[2 + i]!, attributes))];
    case "Flatten":
      return [n, product(x.slice(1))];
    case "Gemm":
      return [n, second[0]!];
    case "MatMul":
      return [...(x.length >= second.length ? x : second).slice(0, -2), x.at(-2)!, second.at(-1)!];
    case "Unsqueeze":
      return [...x.slice(0, 2), 1, ...x.slice(2)];
    case "Reshape":
      return reshaped(x, int64Values(graph, node.inputs[1]!));
    case "Slice":
      return [n, int64Values(graph, node.inputs[2]!)[0]!];
    case "Add":
    case "Mul":
      return product(x) >= product(second) ? x : second;
    case "Cast":
    case "Sub":
    case "Relu":
    case "LeakyRelu":
    case "Sigmoid":
    case "Softmax":
    case "LayerNormalization":
    case "TopK":
      return x;
    case "Concat":
      return [...x.slice(0, -1), x.at(-1)! + second.at(-1)!];
    default:
      throw new Error(`The shape of ${opType} is not known. This is a bug.`);
  }
}

const integers = (attribute: Attribute | undefined) =>
  Array.isArray(attribute) ? attribute.map(Number) : [];

function convSide(side: number, kernel: number, attributes: GraphNode["attributes"]): number {
  return side + (attributes["pads"] ? 2 : 0) - kernel + 1;
}

/** Mean pools are 2 wide: of stride 1; of stride 2, padded all around (the blur's second); or of stride 2, rounding up (the shortcut). */
function poolSide(side: number, attributes: GraphNode["attributes"]): number {
  if (!attributes["strides"]) return side - 1;
  return attributes["pads"] ? Math.floor(side / 2) + 1 : Math.ceil(side / 2);
}

/** ONNX's Reshape: 0 keeps the input's dimension, -1 takes what is left. */
function reshaped(x: readonly number[], target: readonly number[]): number[] {
  const kept = target.map((size, axis) => (size === 0 ? x[axis]! : size));
  const rest = product(x) / product(kept.filter((size) => size !== -1));
  return kept.map((size) => (size === -1 ? rest : size));
}

const int64Values = (graph: Graph, name: string): number[] =>
  [...new BigInt64Array(Uint8Array.from(graph.initializers.get(name)!.read()).buffer)].map(Number);
