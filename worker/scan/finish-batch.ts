import { writeManifest } from "../../shared/batch-manifest.ts";
import type { EndedBatch } from "../../shared/batch-manifest.ts";
import type { Batch } from "../../shared/contracts/batch.ts";
import type { ScanPayload } from "../../shared/contracts/queue-payloads.ts";
import { endBatch, finalizeBatch, getBatchState } from "../../shared/state/batches.ts";
import type { BatchState, FinalStatus } from "../../shared/state/batches.ts";
import type { WorkerDeps } from "../start.ts";
import { announceEnd } from "./announce-end.ts";
import { batchLine } from "./batch-line.ts";
import { relabelReport } from "./relabel-report.ts";
import { unlistedLines } from "./unlisted-lines.ts";
import { writeOutputs } from "./write-outputs.ts";
import { writeResults } from "./write-results.ts";

const FINAL: readonly string[] = ["completed", "failed", "canceled", "expired"] satisfies FinalStatus[];

/**
 * Closes a batch all of whose chunks are done, as completed or as what it was stopped for: puts its parts together in all
 * formats that were asked for, writes its manifest, enqueues the message about it. Done again after a crash, it writes the
 * same and tells it under the same message id.
 */
export async function finishBatch(
  { batch_id: id, traceparent }: ScanPayload,
  {
    redis,
    storage,
    queues,
    logger,
    metrics,
  }: Pick<WorkerDeps, "redis" | "storage" | "queues" | "logger" | "metrics">,
): Promise<void> {
  const { batch: found } = await knownBatch(redis, id);
  if (FINAL.includes(found.status)) return;
  await finalizeBatch(redis, id);
  const state = await knownBatch(redis, id);
  if (state.chunks === null)
    throw new Error(`Batch ${id} is finished before its source was listed to the end. This is a bug.`);
  await writeResults(storage, id, state.chunks, unlistedLines(storage, state));
  await writeOutputs(storage, id, state.record.output_formats);
  const isRelabelled = state.record.labeler?.mode === "relabel" && state.stop === null;
  const report = isRelabelled ? await relabelReport(storage, id) : null;
  const { status, at, ended } = endOf({ ...state, report });
  await writeManifest(storage, ended);
  await announceEnd(queues, ended, at, traceparent);
  await endBatch(redis, id, status, at, report);
  metrics.batchEnded(status);
  logger.info(batchLine(ended, at, traceparent), "batch");
}

async function knownBatch(redis: WorkerDeps["redis"], id: string): Promise<BatchState> {
  const state = await getBatchState(redis, id);
  if (state === undefined) throw new Error(`Batch ${id} is to be finished and Redis does not know it.`);
  return state;
}

/** What it ends as. The time of that is the time finishing began, which Redis keeps, so that every try tells the same. */
function endOf(state: BatchState): { status: FinalStatus; at: string; ended: EndedBatch } {
  const status = state.stop ?? "completed";
  const at = state.batch.finalizing_at;
  if (at === null)
    throw new Error(`Batch ${state.batch.id} is finished without having been finalized. This is a bug.`);
  const batch: Batch = { ...state.batch, status, progress: 1, eta_seconds: null };
  batch[`${status}_at`] = at;
  return { status, at, ended: { ...state, batch } };
}
