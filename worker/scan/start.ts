import { ScanPayload } from "../../shared/contracts/queue-payloads.ts";
import { PermanentError } from "../../shared/errors.ts";
import { queueNames } from "../../shared/queue.ts";
import { consume } from "../consume.ts";
import type { Consuming } from "../consume.ts";
import type { WorkerDeps } from "../start.ts";
import { enqueueChunks } from "./enqueue-chunks.ts";
import { failBatch } from "./fail-batch.ts";
import { finishBatch } from "./finish-batch.ts";

const CONCURRENCY = 4;

/** Starts the `scan` role: lists the sources of batches, cuts them into chunks and closes them when all chunks are done. */
export function startScan(deps: Omit<WorkerDeps, "config" | "onCrash">): Consuming {
  return consume(deps, {
    queue: queueNames.scan,
    payload: ScanPayload,
    concurrency: CONCURRENCY,
    async handle(payload) {
      if (payload.kind === "finish") return finishBatch(payload, deps);
      try {
        return await enqueueChunks(payload, deps);
      } catch (error) {
        if (error instanceof PermanentError) return failBatch(payload, error, deps);
        throw error;
      }
    },
  });
}
