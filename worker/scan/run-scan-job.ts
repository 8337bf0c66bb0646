import type { ScanPayload } from "../../shared/contracts/queue-payloads.ts";
import { PermanentError } from "../../shared/errors.ts";
import { expireBatch } from "../../shared/state/stop-batch.ts";
import type { PutOff } from "../consume.ts";
import type { WorkerDeps } from "../start.ts";
import { deleteBatch } from "./delete-batch.ts";
import { enqueueChunks } from "./enqueue-chunks.ts";
import { failBatch } from "./fail-batch.ts";
import { finishBatch } from "./finish-batch.ts";

/** Does a job of the `scan` queue. A batch whose source can never be listed is failed. */
export async function runScanJob(
  payload: ScanPayload,
  deps: Omit<WorkerDeps, "config" | "onCrash">,
): Promise<void | PutOff> {
  if (payload.kind === "finish") return finishBatch(payload, deps);
  if (payload.kind === "delete") return deleteBatch(payload, deps);
  // The job that lists the batch, or its last chunk, calls for its end.
  if (payload.kind === "expire") return void (await expireBatch(deps.redis, payload.batch_id));
  try {
    return await enqueueChunks(payload, deps);
  } catch (error) {
    if (error instanceof PermanentError) return failBatch(payload, error, deps);
    throw error;
  }
}
