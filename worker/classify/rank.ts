import type { Prediction } from "../../shared/contracts/prediction.ts";
import { PermanentError } from "../../shared/errors.ts";

/**
 * The `topK` best classes whose score is at least `threshold`, best first; of equal scores the one listed first.
 * @param scores float32 [classes], 0 to 1
 * @throws PermanentError inference_failed when a score is not a number
 */
export function rank(
  scores: Float32Array,
  labels: readonly string[],
  topK: number,
  threshold: number,
): Prediction[] {
  // Thousands of classes and a few places: keeping the best while looking once is far faster than sorting all.
  const best: { index: number; score: number }[] = [];
  for (const [index, score] of scores.entries()) {
    if (Number.isNaN(score))
      throw new PermanentError("inference_failed", "The model's scores for this image are not numbers.");
    const worst = best.length === topK ? best.at(-1)?.score : undefined;
    if (score < threshold || (worst !== undefined && score <= worst)) continue;
    const place = best.findIndex((other) => other.score < score);
    best.splice(place === -1 ? best.length : place, 0, { index, score });
    if (best.length > topK) best.pop();
  }
  return best.map(({ index, score }) => ({
    index,
    label: labels[index] ?? String(index),
    score: Math.round(score * 1e6) / 1e6,
  }));
}
