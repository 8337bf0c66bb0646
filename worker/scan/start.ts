import { ScanPayload } from "../../shared/contracts/queue-payloads.ts";
import { queueNames } from "../../shared/queue.ts";
import { consume } from "../consume.ts";
import type { Consuming } from "../consume.ts";
import type { WorkerDeps } from "../start.ts";
import { runScanJob } from "./run-scan-job.ts";

const CONCURRENCY = 4;

/** Starts the `scan` role: lists the sources of batches, cuts them into chunks, closes them when all chunks are done or their deadline has passed, and removes what was deleted. */
export function startScan(deps: Omit<WorkerDeps, "config" | "onCrash">): Consuming {
  return consume(deps, {
    queue: queueNames.scan,
    payload: ScanPayload,
    concurrency: CONCURRENCY,
    handle: (payload) => runScanJob(payload, deps),
  });
}
