import * as fc from "fast-check";
import { expect, test } from "vitest";
import { PermanentError } from "../../../shared/errors.ts";
import { rank } from "../../../worker/classify/rank.ts";

const LABELS = ["cat", "dog", "owl", "fox"];
const labelsOf = (scores: number[], topK: number, threshold = 0) =>
  rank(Float32Array.from(scores), LABELS, topK, threshold).map(({ label }) => label);

test("the best come first, no more than asked for, none below the threshold", () => {
  const scores = [0.1, 0.6, 0.05, 0.25];
  expect(labelsOf(scores, 4)).toEqual(["dog", "fox", "cat", "owl"]);
  expect(labelsOf(scores, 2)).toEqual(["dog", "fox"]);
  expect(labelsOf(scores, 4, 0.25)).toEqual(["dog", "fox"]);
  expect(labelsOf(scores, 4, 0.99)).toEqual([]);
});

test("of equal scores the class that is listed first comes first", () => {
  expect(labelsOf([0.25, 0.25, 0.25, 0.25], 3)).toEqual(["cat", "dog", "owl"]);
});

test("a prediction has its class's place in the list and a score of six decimals", () => {
  expect(rank(Float32Array.of(0, 1 / 3), LABELS, 1, 0)).toEqual([
    { index: 1, label: "dog", score: 0.333333 },
  ]);
});

test("for any scores it gives what sorting all of them gives", () => {
  const scores = fc.array(fc.integer({ min: 0, max: 20 }), { maxLength: 60 });
  fc.assert(
    fc.property(
      scores,
      fc.integer({ min: 1, max: 70 }),
      fc.integer({ min: 0, max: 20 }),
      (twentieths, topK, least) => {
        const labels = twentieths.map((_, i) => `class ${i}`);
        const sorted = twentieths
          .map((twentieth, index) => ({ twentieth, index }))
          .filter(({ twentieth }) => twentieth >= least)
          .toSorted((a, b) => b.twentieth - a.twentieth || a.index - b.index)
          .slice(0, topK);
        const ranked = rank(
          Float32Array.from(twentieths, (n) => n / 32),
          labels,
          topK,
          least / 32,
        );
        expect(ranked.map(({ index }) => index)).toEqual(sorted.map(({ index }) => index));
        expect(ranked.map(({ label }) => label)).toEqual(sorted.map(({ index }) => `class ${index}`));
      },
    ),
  );
});

test("scores that are not numbers are a failure of the image and not an answer without labels", () => {
  expect(() => rank(Float32Array.of(0.1, NaN, 0.2), LABELS, 5, 0)).toThrow(
    new PermanentError("inference_failed", "The model's scores for this image are not numbers."),
  );
});
