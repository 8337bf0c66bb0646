import type { Batcher } from "./batcher.ts";

/** What has gone through a batcher so far. */
export interface ImageCounts {
  /** Images that are fetched, decoded, gathered or run now. */
  inHand: number;
  /** Images that came out of the engine. */
  labelled: number;
  /** Micro-batches that these were in. */
  microBatches: number;
}

/** The same batcher, and what goes through it from now on. */
export function countImages(inner: Batcher): { batcher: Batcher; counts: Readonly<ImageCounts> } {
  const counts: ImageCounts = { inHand: 0, labelled: 0, microBatches: 0 };
  const batcher: Batcher = {
    async classify(seat, prepare) {
      counts.inHand++;
      try {
        const result = await inner.classify(seat, prepare);
        counts.labelled++;
        counts.microBatches += 1 / result.batchSize;
        return result;
      } finally {
        counts.inHand--;
      }
    },
  };
  return { batcher, counts };
}
