import type { ImageCounts } from "./count-images.ts";

type Counted = Pick<ImageCounts, "labelled" | "microBatches">;

const MINUTE_MS = 60_000;

/** What was counted in the last minute, or since the start while that is less long ago, of counts that only grow. */
export class LastMinute {
  readonly #samples: (Counted & { at: number })[];

  /** Begins at `at`, in milliseconds of `performance.now()`. */
  constructor(at: number) {
    this.#samples = [{ at, labelled: 0, microBatches: 0 }];
  }

  /** Takes note of the counts at `at` and tells their growth; to be called every few seconds. */
  note(at: number, { labelled, microBatches }: Counted): { perSecond: number; perMicroBatch: number | null } {
    const now = { at, labelled, microBatches };
    this.#samples.push(now);
    while ((this.#samples[1]?.at ?? at) <= at - MINUTE_MS) this.#samples.shift();
    const since = this.#samples[0] ?? now;
    const images = labelled - since.labelled;
    return {
      perSecond: at === since.at ? 0 : (images / (at - since.at)) * 1_000,
      perMicroBatch: images === 0 ? null : images / (microBatches - since.microBatches),
    };
  }
}
