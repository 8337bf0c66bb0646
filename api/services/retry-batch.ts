import type { EndedBatch } from "../../shared/batch-manifest.ts";
import type { Batch } from "../../shared/contracts/batch.ts";
import { RetryPosition } from "../../shared/contracts/queue-payloads.ts";
import type { BatchRecord, RetryPart } from "../../shared/contracts/queue-payloads.ts";
import { AppError } from "../../shared/errors.ts";
import { newId } from "../../shared/new-id.ts";
import { expiryOf } from "../../shared/retention.ts";
import type { ApiDeps } from "../deps.ts";
import { acceptBatch } from "./accept-batch.ts";
import { findBatch } from "./get-batch.ts";
import { refuseOverload } from "./refuse-overload.ts";
import { refuseWhileItMoves } from "./refuse-while-it-moves.ts";

/**
 * Accepts a new batch of what an ended one left undone: its items that failed or were canceled, and the rest of its source
 * when that was not listed to its end. Throws AppError not_found, or conflict when there is nothing to retry.
 */
export async function retryBatch(
  deps: Pick<ApiDeps, "config" | "backlog" | "redis" | "storage" | "queues" | "baseUrl">,
  tenant: string,
  earlierId: string,
  traceparent: string,
  id: string = newId("bat"),
): Promise<Batch> {
  const earlier = await findBatch(deps, tenant, earlierId);
  const { request_counts: counts, error } = earlier.batch;
  refuseWhileItMoves(earlier.batch, "retried");
  if (error !== null)
    throw new AppError("conflict", `The batch has no results to retry, for it failed: ${error.detail}`);
  if (counts.failed + counts.canceled === 0 && earlier.rest === null)
    throw new AppError("conflict", "No item of the batch failed or was canceled: there is nothing to retry.");
  await refuseOverload(deps, earlier.record.model, "bulk");
  const record: BatchRecord = {
    ...earlier.record,
    id,
    source: { type: "retry", batch_id: earlierId, parts: leftUndone(earlier) },
    deadline: null,
    created_at: new Date().toISOString(),
    expires_at: expiryOf(deps.config.RETENTION_DAYS, id),
    url: `${deps.baseUrl()}/v1/batches/${id}`,
  };
  return acceptBatch(deps, record, { total: 0, traceparent });
}

/** A retry that was stopped leaves the rest of its own parts, so that a retry of that one has them in one row and not one inside the other. */
function leftUndone({ batch: { id }, record: { source }, rest }: EndedBatch): RetryPart[] {
  const lines: RetryPart = { batch_id: id, source: { type: "errors" }, items: 0, position: "" };
  if (rest === null) return [lines];
  const { items, position } = rest;
  if (source.type !== "retry") return [lines, { batch_id: id, source, items, position }];
  if (position === "") return [lines, ...source.parts];
  const { part, ...from } = RetryPosition.parse(JSON.parse(position));
  const [begun, ...others] = source.parts.slice(part);
  if (begun === undefined) throw new Error(`Batch ${id} was listed beyond its end. This is a bug.`);
  return [lines, { ...begun, ...from }, ...others];
}
