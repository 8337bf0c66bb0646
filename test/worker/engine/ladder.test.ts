import { expect, test } from "vitest";
import { ladder, rungFor } from "../../../worker/engine/ladder.ts";

test.each([
  [1, [1]],
  [2, [1, 2]],
  [8, [1, 2, 4, 8]],
  [12, [1, 2, 4, 8, 12]],
])("the rungs up to %i are %j", (maxBatchSize, rungs) => {
  expect(ladder(maxBatchSize)).toEqual(rungs);
});

test("a micro-batch goes to the smallest rung that holds it", () => {
  const rungs = ladder(12);
  const chosen = Array.from({ length: 12 }, (_, i) => rungFor(rungs, i + 1));
  expect(chosen).toEqual([1, 2, 4, 4, 8, 8, 8, 8, 12, 12, 12, 12]);
  expect(() => rungFor(rungs, 13)).toThrow("No rung holds 13 images");
});
