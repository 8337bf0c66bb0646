import { expect, test } from "vitest";
import type { BatchedResult, Batcher } from "../../../worker/classify/batcher.ts";
import { countImages } from "../../../worker/classify/count-images.ts";

const seat = { lane: "bulk", tenant: "default" } as const;
const pixels = async () => new Uint8Array();
const result = (batchSize: number): BatchedResult => ({
  answer: new Float32Array(),
  batchWaitMs: 0,
  inferenceMs: 1,
  batchSize,
});

test("an image is in hand from its arrival to its end, and counts as labelled unless it failed", async () => {
  const waiting: PromiseWithResolvers<BatchedResult>[] = [];
  const inner: Batcher = {
    classify() {
      const end = Promise.withResolvers<BatchedResult>();
      waiting.push(end);
      return end.promise;
    },
  };
  const { batcher, counts } = countImages(inner);
  const ends = Array.from({ length: 4 }, () => batcher.classify(seat, pixels));
  expect(counts).toEqual({ inHand: 4, labelled: 0, microBatches: 0 });
  waiting[0]?.resolve(result(2));
  waiting[1]?.resolve(result(2));
  waiting[2]?.resolve(result(1));
  waiting[3]?.reject(new Error("The image is broken."));
  expect((await Promise.allSettled(ends)).map(({ status }) => status)).toEqual([
    "fulfilled",
    "fulfilled",
    "fulfilled",
    "rejected",
  ]);
  expect(counts).toEqual({ inHand: 0, labelled: 3, microBatches: 2 });
});
