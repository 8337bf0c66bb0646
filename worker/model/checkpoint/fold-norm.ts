/** Added to the variance of every norm, and to the magnitude of an InPlaceABN's weight (TRESNET.md: the same constant twice). */
const EPS = 1e-5;

/** The four vectors of one activated batch norm, fp32 [C]. `inplace`: InPlaceABN, whose weight is |w| + eps; else the signed weight of a plain BatchNorm. */
export interface Norm {
  readonly weight: Float32Array;
  readonly bias: Float32Array;
  readonly mean: Float32Array;
  readonly variance: Float32Array;
  readonly inplace: boolean;
}

/** A norm over fixed statistics as y = x·scale + shift, float64 [C]. */
export function normAsAffine(norm: Norm): { scale: Float64Array; shift: Float64Array } {
  const scale = Float64Array.from(norm.weight, (w, c) => {
    const weight = norm.inplace ? Math.abs(w) + EPS : w;
    return weight / Math.sqrt(norm.variance[c]! + EPS);
  });
  const shift = scale.map((s, c) => norm.bias[c]! - norm.mean[c]! * s);
  return { scale, shift };
}

/**
 * The weight of a convolution with the following norm's scale [out] and its input's scale (channel i has `inputScale[i % length]`) folded in.
 * `weight` is fp32 [out, in, kh, kw]; products are taken in float64 and rounded to fp32 once.
 */
export function foldScale(
  weight: Float32Array,
  shape: readonly number[],
  scale: Float64Array,
  inputScale: readonly number[],
): Float32Array {
  const [out = 0, channels = 0, kh = 0, kw = 0] = shape;
  const area = kh * kw;
  const folded = new Float32Array(weight.length);
  let at = 0;
  for (let o = 0; o < out; o++)
    for (let i = 0; i < channels; i++) {
      const factor = scale[o]! * inputScale[i % inputScale.length]!;
      for (let k = 0; k < area; k++, at++) folded[at] = weight[at]! * factor;
    }
  return folded;
}
