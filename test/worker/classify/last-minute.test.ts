import { expect, test } from "vitest";
import { LastMinute } from "../../../worker/classify/last-minute.ts";

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
