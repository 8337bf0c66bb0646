import { summarize } from "../../../api/cli/summarize.ts";
import type { ClassificationMetrics } from "../../../shared/contracts/classification.ts";

/** Mean stage times and how many micro-batches there were of each size, for beside a figure. */
export function besides(images: readonly ClassificationMetrics[]): Record<string, number> {
  const { stages, microBatches, meanSize } = summarize(images);
  return {
    ...Object.fromEntries(
      Object.entries(stages).map(([stage, ms]) => [
        `${stage.replace(/_ms$/, "").replaceAll("_", " ")} ms`,
        ms,
      ]),
    ),
    "images a micro-batch": meanSize,
    ...Object.fromEntries(microBatches.map(({ size, count }) => [`micro-batches of ${size}`, count])),
  };
}
