import type { Batch } from "../../shared/contracts/batch.ts";
import type { BatchRecord, ScanPayload } from "../../shared/contracts/queue-payloads.ts";
import { redisKeys } from "../../shared/keys.ts";
import { getBatchState, putBatch } from "../../shared/state/batches.ts";
import { addNewestId } from "../../shared/state/id-list.ts";
import type { ApiDeps } from "../deps.ts";

/**
 * Writes a new batch down and enqueues the job that lists it, and the one that ends it at its deadline: Redis has all of it
 * when this returns. `total` is how many items it has, 0 while nobody knows.
 */
export async function acceptBatch(
  { redis, queues }: Pick<ApiDeps, "redis" | "queues">,
  record: BatchRecord,
  { total, traceparent }: { total: number; traceparent: string },
): Promise<Batch> {
  const { id, tenant, deadline } = record;
  const jobOf = (kind: ScanPayload["kind"]) => ({
    id: `${id}-${kind}`,
    payload: { kind, tenant, batch_id: id, traceparent },
  });
  await putBatch(redis, record, total);
  await addNewestId(redis, redisKeys.batchesOfTenant(tenant), id);
  if (deadline !== null)
    await queues.enqueueScan(jobOf("expire"), Math.max(0, Date.parse(deadline) - Date.now()));
  await queues.enqueueScan(jobOf("enqueue"));
  const state = await getBatchState(redis, id);
  if (state === undefined) throw new Error(`Batch ${id} vanished while it was made. This is a bug.`);
  return state.batch;
}
