/** Where a checkpoint's names come from: `timm` (BatchNorm, signed weights) or the authors' own code (`original`: InPlaceABN). */
export type Family = "timm" | "original";

/** The family that uses this set of names, or undefined when it is no TResNet's. */
export function familyOf(names: { has(name: string): boolean }): Family | undefined {
  if (names.has("body.conv1.conv.weight")) return "timm";
  return names.has("body.conv1.0.weight") ? "original" : undefined;
}

/** True for a tensor that inference does not use: batch counters, and the fixed blur kernel that some builds store. */
export const isIgnored = (name: string): boolean =>
  name.endsWith(".num_batches_tracked") || name.endsWith(".op.filt");

/**
 * timm's name of an original tensor. The authors nest Sequentials: `conv1.0` is the convolution and `conv1.1` its ABN, one level deeper
 * (`conv1.0.0`, `conv1.0.1`) where a blur follows; `downsample.K` has the same two.
 */
export function timmName(original: string): string {
  return original
    .replace(/\.(conv\d)\.0\.([01])\./, ".$1.$2.")
    .replace(/\.(conv\d|downsample\.\d)\.0\./, ".$1.conv.")
    .replace(/\.(conv\d|downsample\.\d)\.1\./, ".$1.bn.");
}
