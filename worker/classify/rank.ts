import type { Prediction } from "../../shared/contracts/prediction.ts";

/** The `topK` best classes whose score is at least `threshold`, best first; of equal scores the one listed first. `scores` is float32 [classes], 0 to 1. */
export function rank(
  scores: Float32Array,
  labels: readonly string[],
  topK: number,
  threshold: number,
): Prediction[] {
  return Array.from(scores, (score, index) => ({ index, label: labels[index] ?? String(index), score }))
    .filter(({ score }) => score >= threshold)
    .toSorted((a, b) => b.score - a.score)
    .slice(0, topK)
    .map((prediction) => ({ ...prediction, score: Math.round(prediction.score * 1e6) / 1e6 }));
}
