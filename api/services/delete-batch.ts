import { hideBatch } from "../../shared/batch-manifest.ts";
import { redisKeys } from "../../shared/keys.ts";
import type { ApiDeps } from "../deps.ts";
import { getBatch } from "./get-batch.ts";
import { refuseWhileItMoves } from "./refuse-while-it-moves.ts";

/** Deletes an ended batch: it is not found from now on, and a worker removes what is stored of it. Throws AppError not_found, or conflict while it moves. */
export async function deleteBatch(
  deps: ApiDeps,
  tenant: string,
  id: string,
  traceparent: string,
): Promise<void> {
  refuseWhileItMoves(await getBatch(deps, tenant, id), "deleted");
  // First the job: whatever happens to this process, the batch is removed whole.
  await deps.queues.enqueueScan({
    id: `${id}-delete`,
    payload: { kind: "delete", tenant, batch_id: id, traceparent },
  });
  await hideBatch(deps, id);
  await deps.redis.zrem(redisKeys.batchesOfTenant(tenant), id);
}
