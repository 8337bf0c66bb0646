/** The rungs of a ladder: 1, 2, 4, 8 … and `maxBatchSize` itself. A micro-batch is padded to one, since each new shape makes cuDNN tune anew for 0.3 to 1.3 s (microsoft/onnxruntime#6978). */
export function ladder(maxBatchSize: number): number[] {
  const rungs: number[] = [];
  for (let rung = 1; rung < maxBatchSize; rung *= 2) rungs.push(rung);
  return [...rungs, maxBatchSize];
}

/** The smallest rung that holds `images` images. */
export function rungFor(rungs: readonly number[], images: number): number {
  const rung = rungs.find((each) => each >= images);
  if (rung === undefined) throw new Error(`No rung holds ${images} images. This is a bug.`);
  return rung;
}
