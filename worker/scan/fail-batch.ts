import { writeManifest } from "../../shared/batch-manifest.ts";
import type { ScanPayload } from "../../shared/contracts/queue-payloads.ts";
import { toItemError } from "../../shared/errors.ts";
import type { PermanentError } from "../../shared/errors.ts";
import { endBatch, getBatchState, noteFailure } from "../../shared/state/batches.ts";
import type { PutOff } from "../consume.ts";
import type { WorkerDeps } from "../start.ts";
import { announceEnd } from "./announce-end.ts";
import { batchLine } from "./batch-line.ts";

/**
 * Ends a batch whose source can never be listed: writes its manifest with the reason and enqueues the message about it.
 * Chunks that were enqueued before are dropped. Done again after a crash, it tells the same. When nothing more of the
 * source was wanted, since the batch was stopped meanwhile or another worker came to its end, the job is put off to look anew.
 */
export async function failBatch(
  { batch_id: id, traceparent }: ScanPayload,
  reason: PermanentError,
  {
    redis,
    storage,
    queues,
    logger,
    metrics,
  }: Pick<WorkerDeps, "redis" | "storage" | "queues" | "logger" | "metrics">,
): Promise<void | PutOff> {
  if (!(await noteFailure(redis, id, toItemError(reason)))) return { putOffMs: 0 };
  const state = await getBatchState(redis, id);
  const failedAt = state?.batch.failed_at ?? undefined;
  if (state === undefined || failedAt === undefined)
    throw new Error(`Batch ${id} is to be failed and Redis does not know it.`);
  const ended = { ...state, batch: { ...state.batch, status: "failed" as const, eta_seconds: null } };
  await writeManifest(storage, ended);
  await announceEnd(queues, ended, failedAt, traceparent);
  await endBatch(redis, id, "failed", failedAt);
  metrics.batchEnded("failed");
  logger.warn({ ...batchLine(ended, failedAt, traceparent), reason: reason.message }, "batch");
}
