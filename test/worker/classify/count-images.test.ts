import { expect, test } from "vitest";
import type { BatchedResult, Batcher } from "../../../worker/classify/batcher.ts";
import { countImages } from "../../../worker/classify/count-images.ts";
import { LastMinute } from "../../../worker/classify/last-minute.ts";

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

test("the last minute is what grew in it, and what grew since the start while that is less", () => {
  const minute = new LastMinute(1_000);
  expect(minute.note(1_000, { labelled: 0, microBatches: 0 })).toEqual({ perSecond: 0, perMicroBatch: null });
  expect(minute.note(11_000, { labelled: 100, microBatches: 10 })).toEqual({
    perSecond: 10,
    perMicroBatch: 10,
  });
  expect(minute.note(61_000, { labelled: 100, microBatches: 10 })).toEqual({
    perSecond: 100 / 60,
    perMicroBatch: 10,
  });
  expect(minute.note(71_000, { labelled: 160, microBatches: 70 })).toEqual({
    perSecond: 1,
    perMicroBatch: 1,
  });
  expect(minute.note(131_000, { labelled: 160, microBatches: 70 })).toEqual({
    perSecond: 0,
    perMicroBatch: null,
  });
});
