import type { ScanPayload } from "../../shared/contracts/queue-payloads.ts";
import { PermanentError } from "../../shared/errors.ts";
import { expireBatch } from "../../shared/state/stop-batch.ts";
import type { PutOff } from "../consume.ts";
import { inJobSpan } from "../in-job-span.ts";
import type { WorkerDeps } from "../start.ts";
import { deleteBatch } from "./delete-batch.ts";
import { enqueueChunks } from "./enqueue-chunks.ts";
import { failBatch } from "./fail-batch.ts";
import { finishBatch } from "./finish-batch.ts";

type ScanDeps = Omit<WorkerDeps, "config" | "onCrash">;

/** Does a job of the `scan` queue. A batch whose source can never be listed is failed. */
export const runScanJob = (job: ScanPayload, deps: ScanDeps): Promise<void | PutOff> =>
  inJobSpan(deps.tracer, `${job.kind} batch`, job, (payload, span) => {
    span.set({ id: payload.batch_id, tenant: payload.tenant });
    return WORK[payload.kind](payload, deps);
  });

const WORK: Record<ScanPayload["kind"], (payload: ScanPayload, deps: ScanDeps) => Promise<void | PutOff>> = {
  enqueue: list,
  finish: finishBatch,
  // The job that lists the batch, or its last chunk, calls for its end.
  expire: async ({ batch_id: id }, { redis }) => void (await expireBatch(redis, id)),
  delete: deleteBatch,
};

async function list(payload: ScanPayload, deps: ScanDeps): Promise<void | PutOff> {
  try {
    return await enqueueChunks(payload, deps);
  } catch (error) {
    if (error instanceof PermanentError) return failBatch(payload, error, deps);
    throw error;
  }
}
