import type { ClassificationMetrics } from "../../shared/contracts/classification.ts";
import type { Tracer } from "../../shared/trace.ts";

/** The stages of an image, the last one first, each of which ends when the one before it here begins. */
const STAGES = ["inference", "batch_wait", "decode", "fetch"] as const;

/**
 * Tells of the stages of a labelled image as spans under `parent`, from how long each took.
 * @param endedAt when the last of them ended, in milliseconds since 1970
 */
export function tellStages(
  tracer: Tracer,
  parent: string,
  metrics: ClassificationMetrics,
  endedAt: number,
): void {
  let stageEnd = endedAt;
  for (const stage of STAGES) {
    const stageStart = stageEnd - (metrics[`${stage}_ms`] ?? 0);
    tracer.start(stage, { kind: "internal", parent, startedAt: stageStart }).end({ endedAt: stageEnd });
    stageEnd = stageStart;
  }
}
