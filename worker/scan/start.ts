import { ScanPayload } from "../../shared/contracts/queue-payloads.ts";
import { queueNames } from "../../shared/queue.ts";
import { consume } from "../consume.ts";
import type { Consuming } from "../consume.ts";
import type { WorkerDeps } from "../start.ts";
import { enqueueChunks } from "./enqueue-chunks.ts";
import { finishBatch } from "./finish-batch.ts";

const CONCURRENCY = 4;

/** Starts the `scan` role: lists the sources of batches, cuts them into chunks and closes them when all chunks are done. */
export function startScan(deps: Omit<WorkerDeps, "config" | "onCrash">): Consuming {
  return consume(deps, {
    queue: queueNames.scan,
    payload: ScanPayload,
    concurrency: CONCURRENCY,
    handle: (payload) =>
      payload.kind === "enqueue" ? enqueueChunks(payload, deps) : finishBatch(payload, deps),
  });
}
