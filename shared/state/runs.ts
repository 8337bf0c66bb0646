import type { BatchStatus } from "../contracts/batch.ts";
import type { Run } from "../contracts/labeler.ts";
import type { BatchState } from "./batches.ts";

/**
 * The run that a hash tells of: it moves through the same states as a batch and is kept like one. It is `paused` while it
 * is in progress and its labeler is paused. Throws for a batch that no labeler started.
 */
export function toRun(
  { batch, record, skipped, report }: Pick<BatchState, "batch" | "record" | "skipped" | "report">,
  { paused }: { paused: boolean },
): Run {
  const { labeler } = record;
  if (labeler === undefined || labeler.mode === "live")
    throw new Error(`${record.id} is looked at as a labeler's run and is none. This is a bug.`);
  const status = paused && batch.status === "in_progress" ? "paused" : runStatus(batch.status);
  return {
    id: batch.id,
    object: "labeler.run",
    labeler_id: labeler.id,
    mode: labeler.mode,
    status,
    model: batch.model,
    request_counts: { ...batch.request_counts, skipped },
    progress: batch.progress,
    eta_seconds: status === "paused" ? null : batch.eta_seconds,
    images_per_second: record.images_per_second ?? null,
    created_at: batch.created_at,
    in_progress_at: batch.in_progress_at,
    completed_at: batch.completed_at,
    failed_at: batch.failed_at,
    canceled_at: batch.canceled_at,
    error: batch.error,
    report,
    urls: { get: batch.urls.get, results: batch.urls.results },
  };
}

function runStatus(status: BatchStatus): Run["status"] {
  if (status === "expired")
    throw new Error("A labeler's run has no deadline and has expired. This is a bug.");
  return status;
}
