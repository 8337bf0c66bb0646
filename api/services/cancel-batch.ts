import type { Batch } from "../../shared/contracts/batch.ts";
import { AppError } from "../../shared/errors.ts";
import { requestCancel } from "../../shared/state/stop-batch.ts";
import type { ApiDeps } from "../deps.ts";
import { getBatch } from "./get-batch.ts";

/** Cancels a batch: nothing more of it is begun, and what has its labels keeps them. Throws AppError not_found, or conflict when all of its items have ended. */
export async function cancelBatch(deps: ApiDeps, tenant: string, id: string): Promise<Batch> {
  await getBatch(deps, tenant, id);
  const stopping = await requestCancel(deps.redis, id);
  // One whose job was never enqueued, since who accepted it died, would otherwise be canceling for ever.
  if (stopping === "canceling")
    await deps.queues.enqueueScan({
      id: `${id}-enqueue`,
      payload: { kind: "enqueue", tenant, batch_id: id },
    });
  const batch = await getBatch(deps, tenant, id);
  if (stopping === "canceling") return batch;
  throw new AppError(
    "conflict",
    batch.error === null
      ? `All items of the batch have ended, and it is ${batch.status}: there is nothing left to cancel.`
      : `The batch has failed, so there is nothing left to cancel: ${batch.error.detail}`,
  );
}
