import { ScanPayload } from "../../shared/contracts/queue-payloads.ts";
import { PermanentError } from "../../shared/errors.ts";
import { queueNames } from "../../shared/queue.ts";
import { expireBatch } from "../../shared/state/stop-batch.ts";
import { consume } from "../consume.ts";
import type { Consuming } from "../consume.ts";
import type { WorkerDeps } from "../start.ts";
import { deleteBatch } from "./delete-batch.ts";
import { enqueueChunks } from "./enqueue-chunks.ts";
import { failBatch } from "./fail-batch.ts";
import { finishBatch } from "./finish-batch.ts";

const CONCURRENCY = 4;

/** Starts the `scan` role: lists the sources of batches, cuts them into chunks, closes them when all chunks are done or their deadline has passed, and removes what was deleted. */
export function startScan(deps: Omit<WorkerDeps, "config" | "onCrash">): Consuming {
  return consume(deps, {
    queue: queueNames.scan,
    payload: ScanPayload,
    concurrency: CONCURRENCY,
    async handle(payload) {
      if (payload.kind === "finish") return finishBatch(payload, deps);
      if (payload.kind === "delete") return deleteBatch(payload, deps);
      // The job that lists the batch, or its last chunk, sees what became of it.
      if (payload.kind === "expire") return void (await expireBatch(deps.redis, payload.batch_id));
      try {
        return await enqueueChunks(payload, deps);
      } catch (error) {
        if (error instanceof PermanentError) return failBatch(payload, error, deps);
        throw error;
      }
    },
  });
}
