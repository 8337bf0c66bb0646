import { expect, test } from "vitest";
import { percentile, summarize } from "../../../api/cli/summarize.ts";

test("an image in a micro-batch of n counts as one n-th of it", () => {
  const images = [1, 4, 4, 4, 4, 4, 4, 4, 4].map((batch_size) => ({ batch_size }));
  const { microBatches, meanSize } = summarize(images);
  expect(microBatches).toEqual([
    { size: 1, count: 1 },
    { size: 4, count: 2 },
  ]);
  expect(meanSize).toBe(3);
});

test("a stage's mean is that of the images that tell of it", () => {
  expect(summarize([{ decode_ms: 2, queue_ms: 10 }, { decode_ms: 4 }]).stages).toEqual({
    queue_ms: 10,
    decode_ms: 3,
  });
});

test("of no images there is nothing to sum up", () => {
  expect(summarize([])).toEqual({ stages: {}, microBatches: [], meanSize: 0 });
  expect(percentile([], 0.5)).toBeNaN();
});

test("a percentile is a value that was measured", () => {
  const values = [5, 1, 4, 2, 3];
  expect([0, 0.5, 0.99, 1].map((part) => percentile(values, part))).toEqual([1, 3, 5, 5]);
});
