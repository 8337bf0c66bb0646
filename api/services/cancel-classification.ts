import type { Classification } from "../../shared/contracts/classification.ts";
import { AppError, TransientError, toItemError } from "../../shared/errors.ts";
import { queuedClassification } from "../../shared/queued-classification.ts";
import type { Queues } from "../../shared/queue.ts";
import { readResult, saveResult } from "../../shared/save-result.ts";
import { tellCanceled } from "../../shared/state/canceled-feed.ts";
import type { ApiDeps } from "../deps.ts";
import { refuseBatchItem } from "./get-classification.ts";
import { notThere } from "./not-there.ts";
import { knownModels } from "./resolve-model.ts";

/** A classification that moves, as its queue has it. */
type Moving = NonNullable<Awaited<ReturnType<Queues["findClassification"]>>>;

/**
 * Ends a classification as canceled, whether it waits or a worker has it in hand. What is stored first is its end, so the
 * end is stored before the job goes: a worker that meets the one or the other tells the same. Canceling it again changes
 * nothing. Throws AppError not_found, gone, or conflict when it has ended otherwise.
 */
export async function cancelClassification(
  deps: Pick<ApiDeps, "config" | "redis" | "storage" | "queues">,
  tenant: string,
  id: string,
): Promise<Classification> {
  refuseBatchItem(id);
  const moving = await deps.queues.findClassification(await knownModels(deps), id);
  const isOwn = moving?.payload.tenant === tenant;
  const ended = isOwn ? await endAsCanceled(deps, moving) : await readResult(deps.storage, { id, tenant });
  if (ended === undefined) throw notThere(deps, id, `There is no classification ${id}.`);
  if (ended.status !== "canceled")
    throw new AppError(
      "conflict",
      `The classification ${id} has ended: it is ${ended.status}, and there is nothing left to cancel.`,
    );
  return ended;
}

/** Stores that it was canceled and tells everybody, unless it has ended otherwise meanwhile; then takes its job away. */
async function endAsCanceled(
  deps: Pick<ApiDeps, "redis" | "storage" | "queues">,
  { payload, startedAt }: Moving,
): Promise<Classification> {
  const now = new Date();
  const canceled: Classification = {
    ...queuedClassification(payload),
    status: "canceled",
    error: toItemError(new TransientError("canceled", "It was canceled before it was labelled.")),
    metrics: { total_ms: now.getTime() - Date.parse(payload.created_at) },
    started_at: startedAt?.toISOString() ?? null,
    completed_at: now.toISOString(),
  };
  const ended = await saveResult(canceled, payload, deps);
  if (!(await deps.queues.removeClassification(payload))) await tellCanceled(deps.redis, payload.id);
  return ended;
}
