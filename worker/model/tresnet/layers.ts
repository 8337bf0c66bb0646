/// <reference lib="esnext.float16" />
import { foldScale, normAsAffine } from "../checkpoint/fold-norm.ts";
import type { TensorSource } from "../checkpoint/weights.ts";
import type { Graph } from "../onnx/graph.ts";

/** The type of weights and arithmetic. */
export type Precision = "fp32" | "fp16";

/** A network being written: the graph it goes to, the tensors it is made from, the slopes of its leaky ReLUs. Values are NCHW floats of its precision. */
export interface Net {
  readonly graph: Graph;
  readonly weights: TensorSource;
  readonly precision: Precision;
  readonly leakySlopes: { readonly stem: number; readonly blocks: number };
}

/** A convolution of stride 1 that keeps height and width. */
export interface ConvShape {
  readonly from: number;
  readonly to: number;
  readonly kernel: 1 | 3;
}

/** Adds a constant of the net's precision and returns its name; `values` makes its row-major values when the file is written. */
export function floatConstant(
  { graph, precision }: Pick<Net, "graph" | "precision">,
  name: string,
  shape: readonly number[],
  values: () => Float32Array | Float64Array,
): string {
  if (precision === "fp16")
    return graph.constant(name, "float16", shape, () => bytesOf(Float16Array.from(values())));
  return graph.constant(name, "float32", shape, () => {
    const floats = values();
    return bytesOf(floats instanceof Float32Array ? floats : Float32Array.from(floats));
  });
}

const bytesOf = ({ buffer, byteOffset, byteLength }: NodeJS.ArrayBufferView) =>
  new Uint8Array(buffer, byteOffset, byteLength);

/** Convolution without bias and the norm that follows it (`path.conv`, `path.bn`), as one Conv; `inputScale` scales its input's channels, repeating. */
export function conv2dAbn(
  net: Net,
  x: string,
  path: string,
  conv: ConvShape,
  inputScale: readonly number[] = [1],
): string {
  const { graph, weights } = net;
  const shape = [conv.to, conv.from, conv.kernel, conv.kernel];
  const weight = weights.take(`${path}.conv.weight`, shape);
  const norm = takeNorm(weights, `${path}.bn`, conv.to);
  const kernel = floatConstant(net, `${path}.conv.weight`, shape, () =>
    foldScale(weight.read(), shape, norm().scale, inputScale),
  );
  const shift = floatConstant(net, `${path}.conv.bias`, [conv.to], () => norm().shift);
  return graph.node("Conv", `${path}.conv`, [x, kernel, shift], convAttributes(conv.kernel));
}

function takeNorm(
  weights: TensorSource,
  path: string,
  channels: number,
): () => ReturnType<typeof normAsAffine> {
  const [weight, bias, mean, variance] = ["weight", "bias", "running_mean", "running_var"].map((part) =>
    weights.take(`${path}.${part}`, [channels]),
  );
  return () =>
    normAsAffine({
      weight: weight!.read(),
      bias: bias!.read(),
      mean: mean!.read(),
      variance: variance!.read(),
      inplace: weights.inplaceNorms,
    });
}

const convAttributes = (kernel: 1 | 3) =>
  kernel === 1 ? { kernel_shape: [1, 1] } : { kernel_shape: [3, 3], pads: [1, 1, 1, 1] };

/** Leaky ReLU after the Conv at `path`. */
export function leakyRelu(net: Net, x: string, path: string, slope: number): string {
  return net.graph.node("LeakyRelu", `${path}.act`, [x], { alpha: { float: slope } });
}

/** Blocks of 4×4 pixels become 48 channels: [N,3,H,W] to [N,48,H/4,W/4], colour fastest, then column, then row (ONNX's DCR order). */
export function spaceToDepth(net: Net, x: string): string {
  return net.graph.node("SpaceToDepth", "body.s2d", [x], { blocksize: 4 });
}

/**
 * Anti-aliased stride 2: the kernel [1 2 1]ᵀ[1 2 1]/16 over a map reflected by one; height and width become their half, rounded up.
 *
 * [1 2 1]/4 is the mean of two neighbouring means, and where the map is reflected those two are equal, so that one of them alone will do: a 2×2 mean of
 * stride 1, then one of stride 2 that leaves the padding out. ONNX Runtime has both natively; a reflecting Pad is slow, and TensorRT has none.
 */
export function blurPool({ graph }: Net, x: string, path: string): string {
  const means = graph.node("AveragePool", `${path}.means`, [x], { kernel_shape: [2, 2] });
  const attributes = { kernel_shape: [2, 2], strides: [2, 2], pads: [1, 1, 1, 1], count_include_pad: 0 };
  return graph.node("AveragePool", `${path}.blur`, [means], attributes);
}

/** Squeeze and excite: scales each channel by sigmoid(fc2(relu(fc1(mean over H and W)))). */
export function squeezeExcite(net: Net, x: string, path: string, channels: number, reduced: number): string {
  const { graph } = net;
  const mean = graph.node("GlobalAveragePool", `${path}.avg_pool`, [x]);
  const squeezed = graph.node("Relu", `${path}.relu`, [conv1x1(net, mean, `${path}.fc1`, channels, reduced)]);
  const gate = graph.node("Sigmoid", `${path}.gate`, [
    conv1x1(net, squeezed, `${path}.fc2`, reduced, channels),
  ]);
  return graph.node("Mul", path, [x, gate]);
}

/** A 1×1 convolution with bias; `path.weight` is [to, from, 1, 1], or [to, from] where upstream has it as a linear layer. */
export function conv1x1(
  net: Net,
  x: string,
  path: string,
  from: number,
  to: number,
  stored = [to, from, 1, 1],
): string {
  const weight = net.weights.take(`${path}.weight`, stored);
  const kernel = floatConstant(net, `${path}.weight`, [to, from, 1, 1], weight.read);
  return net.graph.node("Conv", path, [x, kernel, parameter(net, `${path}.bias`, [to])], {
    kernel_shape: [1, 1],
  });
}

/** A tensor of the checkpoint as a constant of the graph, unchanged; returns its name. */
export function parameter(net: Net, name: string, shape: readonly number[]): string {
  return floatConstant(net, name, shape, net.weights.take(name, shape).read);
}

/** 2×2 mean of stride 2; an odd last row or column is averaged alone, so that height and width become their half, rounded up. */
export function averagePool({ graph }: Net, x: string, path: string): string {
  const attributes = { kernel_shape: [2, 2], strides: [2, 2], ceil_mode: 1, count_include_pad: 0 };
  return graph.node("AveragePool", path, [x], attributes);
}

/** The shortcut of a stage's first block: the mean pool where it strides, then a convolution and norm. */
export function downsample(net: Net, x: string, path: string, conv: ConvShape, stride: 1 | 2): string {
  if (stride === 1) return conv2dAbn(net, x, `${path}.downsample.0`, conv);
  return conv2dAbn(net, averagePool(net, x, `${path}.downsample.0`), `${path}.downsample.1`, conv);
}
