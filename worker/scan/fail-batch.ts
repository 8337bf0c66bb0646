import type { ScanPayload } from "../../shared/contracts/queue-payloads.ts";
import { toItemError } from "../../shared/errors.ts";
import type { PermanentError } from "../../shared/errors.ts";
import { storageKeys } from "../../shared/keys.ts";
import { endBatch, getBatchState, noteFailure } from "../../shared/state/batches.ts";
import { announce } from "../deliver/announce.ts";
import type { WorkerDeps } from "../start.ts";

/**
 * Ends a batch whose source can never be listed: writes its manifest with the reason and enqueues the message about it.
 * What was enqueued before runs on and counts for nothing. Done again after a crash, it tells the same.
 */
export async function failBatch(
  { batch_id: id, tenant }: ScanPayload,
  reason: PermanentError,
  { redis, storage, queues, logger }: Pick<WorkerDeps, "redis" | "storage" | "queues" | "logger">,
): Promise<void> {
  await noteFailure(redis, id, toItemError(reason));
  const state = await getBatchState(redis, id);
  const failedAt = state?.batch.failed_at ?? undefined;
  if (state === undefined || failedAt === undefined)
    throw new Error(`Batch ${id} is to be failed and Redis does not know it.`);
  const batch = { ...state.batch, status: "failed" as const, eta_seconds: null };
  await storage.put(storageKeys.batchManifest(id), JSON.stringify({ ...batch, tenant }), {
    contentType: "application/json",
  });
  const { webhook } = state.record;
  await announce(queues, { tenant, webhook, type: "batch.failed", timestamp: failedAt, resource: batch });
  await endBatch(redis, id, "failed", failedAt);
  logger.warn({ batch: id, reason: reason.message }, "batch failed");
}
