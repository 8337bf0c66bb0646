import type { Engine } from "../engine/engine.ts";

/** What the batcher says of one image. */
export interface BatchedResult {
  /** float32 [classes], 0 to 1. */
  scores: Float32Array;
  /** Milliseconds until its micro-batch began. */
  batchWaitMs: number;
  /** Milliseconds that its micro-batch took. */
  inferenceMs: number;
  /** Images in its micro-batch, padding not counted. */
  batchSize: number;
}

interface Waiting {
  pixels: Uint8Array;
  since: number;
  resolve: (result: BatchedResult) => void;
  reject: (error: unknown) => void;
}

/** Gathers images into micro-batches. */
export interface Batcher {
  /** Puts an image, uint8 [H, W, 3], into the next micro-batch; rejects with what the engine threw for that micro-batch. */
  classify(pixels: Uint8Array): Promise<BatchedResult>;
}

/** Runs whatever is ready as soon as the engine is free: what arrives meanwhile makes up the next micro-batch. */
export function createBatcher(engine: Engine): Batcher {
  const waiting: Waiting[] = [];
  let running = false;

  const runNext = async () => {
    running = true;
    while (waiting.length > 0) {
      const batch = waiting.splice(0, engine.maxBatchSize);
      const began = performance.now();
      try {
        const { scores, inferenceMs } = await engine.run(batch.map(({ pixels }) => pixels));
        if (scores.length !== batch.length)
          throw new Error(
            `The engine answered ${scores.length} rows for ${batch.length} images. This is a bug.`,
          );
        for (const [row, { since, resolve }] of batch.entries())
          resolve({
            scores: scores[row] ?? new Float32Array(),
            batchWaitMs: began - since,
            inferenceMs,
            batchSize: batch.length,
          });
      } catch (error) {
        for (const { reject } of batch) reject(error);
      }
    }
    running = false;
  };

  return {
    classify: (pixels) =>
      new Promise((resolve, reject) => {
        waiting.push({ pixels, since: performance.now(), resolve, reject });
        if (!running) void runNext();
      }),
  };
}
