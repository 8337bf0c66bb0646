import type { EndedBatch } from "../../shared/batch-manifest.ts";
import { traceIdOf } from "../../shared/traceparent.ts";

/** What the log says of a batch, or of a labeler's run, that ended at the time `at` (RFC 3339). */
export function batchLine({ batch, record }: EndedBatch, at: string, traceparent: string | undefined) {
  return {
    trace_id: traceparent && traceIdOf(traceparent),
    id: batch.id,
    tenant: record.tenant,
    model: batch.model,
    status: batch.status,
    ...batch.request_counts,
    total_ms: Date.parse(at) - Date.parse(batch.created_at),
  };
}
