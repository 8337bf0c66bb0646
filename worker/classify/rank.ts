import type { Prediction } from "../../shared/contracts/prediction.ts";
import { PermanentError } from "../../shared/errors.ts";

/**
 * The `topK` best classes whose score is at least `threshold`, best first; no more than the model tells.
 * @param answer float32 [2, K]: scores, 0 to 1, best first, and below them their classes' numbers
 * @throws PermanentError inference_failed when a score is not a number
 */
export function rank(
  answer: Float32Array,
  labels: readonly string[],
  topK: number,
  threshold: number,
): Prediction[] {
  const told = answer.length / 2;
  const predictions: Prediction[] = [];
  for (let place = 0; place < Math.min(told, topK); place++) {
    const score = answer[place] ?? NaN;
    if (Number.isNaN(score))
      throw new PermanentError("inference_failed", "The model's scores for this image are not numbers.");
    if (score < threshold) break;
    const index = answer[told + place] ?? NaN;
    predictions.push({
      index,
      label: labels[index] ?? String(index),
      score: Math.round(score * 1e6) / 1e6,
    });
  }
  return predictions;
}
