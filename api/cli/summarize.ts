import type { ClassificationMetrics } from "../../shared/contracts/classification.ts";

/** The stages of an image's life in a worker, in their order. */
export const STAGES = ["queue_ms", "fetch_ms", "decode_ms", "batch_wait_ms", "inference_ms"] as const;

/** Where the time of many images went and how they were gathered. */
export interface Summary {
  /** Mean milliseconds of each stage that the images tell of. */
  stages: Partial<Record<(typeof STAGES)[number], number>>;
  /** How many micro-batches of each size were run, padding not counted, by ascending size. */
  microBatches: { size: number; count: number }[];
  /** Images in a micro-batch, on average; 0 when there was none. */
  meanSize: number;
}

/** Sums up what the service tells of each image. */
export function summarize(images: readonly ClassificationMetrics[]): Summary {
  const stages = Object.fromEntries(
    STAGES.flatMap((stage) => {
      const values = images.flatMap((image) => image[stage] ?? []);
      return values.length === 0 ? [] : [[stage, sum(values) / values.length] as const];
    }),
  );
  const imagesBySize = new Map<number, number>();
  for (const { batch_size: size } of images)
    if (size !== undefined) imagesBySize.set(size, (imagesBySize.get(size) ?? 0) + 1);
  // An image in a micro-batch of n is one n-th of it; the others may be of another client.
  const parts = [...imagesBySize].map(([size, count]) => ({ size, count: count / size }));
  const microBatches = sum(parts.map(({ count }) => count));
  return {
    stages,
    microBatches: parts
      .map(({ size, count }) => ({ size, count: Math.ceil(count) }))
      .toSorted((a, b) => a.size - b.size),
    meanSize: microBatches === 0 ? 0 : sum([...imagesBySize.values()]) / microBatches,
  };
}

/** The value that the given part of all values, 0 to 1, does not exceed; NaN of none. */
export function percentile(values: readonly number[], part: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(part * sorted.length) - 1)] ?? NaN;
}

const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);
