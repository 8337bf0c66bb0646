import { expect, test } from "vitest";
import { PermanentError } from "../../../shared/errors.ts";
import { rank } from "../../../worker/classify/rank.ts";

const LABELS = ["cat", "dog", "owl", "fox"];
/** What a session says of an image: the best three of four classes. */
const ANSWER = Float32Array.of(0.6, 0.25, 0.1, 1, 3, 0);
const labelsOf = (topK: number, threshold = 0) =>
  rank(ANSWER, LABELS, topK, threshold).map(({ label }) => label);

test("the best come first, no more than asked for, none below the threshold", () => {
  expect(labelsOf(3)).toEqual(["dog", "fox", "cat"]);
  expect(labelsOf(2)).toEqual(["dog", "fox"]);
  expect(labelsOf(3, 0.25)).toEqual(["dog", "fox"]);
  expect(labelsOf(3, 0.99)).toEqual([]);
});

test("asked for more than the model tells, it gives what there is", () => {
  expect(labelsOf(4)).toEqual(["dog", "fox", "cat"]);
  expect(labelsOf(1000)).toEqual(["dog", "fox", "cat"]);
});

test("a prediction has its class's place in the list and a score of six decimals", () => {
  expect(rank(Float32Array.of(1 / 3, 1), LABELS, 1, 0)).toEqual([
    { index: 1, label: "dog", score: 0.333333 },
  ]);
});

test("scores that are not numbers are a failure of the image and not an answer without labels", () => {
  expect(() => rank(Float32Array.of(NaN, 0.1, 0, 1), LABELS, 5, 0)).toThrow(
    new PermanentError("inference_failed", "The model's scores for this image are not numbers."),
  );
});
