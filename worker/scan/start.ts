import { ScanPayload, SweepPayload } from "../../shared/contracts/queue-payloads.ts";
import { queueNames } from "../../shared/queue.ts";
import { consume } from "../consume.ts";
import type { Consuming } from "../consume.ts";
import type { WorkerDeps } from "../start.ts";
import { runScanJob } from "./run-scan-job.ts";
import { scheduleSweep } from "./schedule-sweep.ts";
import { sweep } from "./sweep.ts";
import type { SweepDeps } from "./sweep.ts";

const CONCURRENCY = 4;

/** Starts the `scan` role: lists the sources of batches, cuts them into chunks, closes them when all chunks are done or their deadline has passed, removes what was deleted, and sweeps once a day what is past its retention. */
export function startScan(deps: Omit<WorkerDeps, "config" | "onCrash"> & SweepDeps): Consuming {
  if (deps.config.RETENTION_DAYS > 0)
    scheduleSweep(deps.queues, "today").catch((err: unknown) =>
      deps.logger.error({ err }, "no sweep could be set"),
    );
  return consume(deps, {
    queue: queueNames.scan,
    payload: ScanPayload.or(SweepPayload),
    concurrency: CONCURRENCY,
    handle: (payload) => (payload.kind === "sweep" ? sweep(deps) : runScanJob(payload, deps)),
  });
}
