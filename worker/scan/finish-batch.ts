import type { Batch } from "../../shared/contracts/batch.ts";
import type { ScanPayload } from "../../shared/contracts/queue-payloads.ts";
import { storageKeys } from "../../shared/keys.ts";
import { endBatch, finalizeBatch, getBatchState } from "../../shared/state/batches.ts";
import type { BatchState } from "../../shared/state/batches.ts";
import { announce } from "../deliver/announce.ts";
import type { WorkerDeps } from "../start.ts";
import { readLines } from "./read-lines.ts";

/** Parts that are fetched while an earlier one is written. */
const PARTS_AHEAD = 8;
/** What the line of an item that failed has, and no other: quotes in texts are escaped. */
const FAILED = Buffer.from('"status":"failed"');
const LINE_FEED = Buffer.from("\n");

/**
 * Closes a batch all of whose chunks are done: puts its parts together, writes its manifest, enqueues the message about it.
 * Done again after a crash, it writes the same and tells it under the same message id.
 */
export async function finishBatch(
  { batch_id: id, tenant }: ScanPayload,
  { redis, storage, queues, logger }: Pick<WorkerDeps, "redis" | "storage" | "queues" | "logger">,
): Promise<void> {
  const { batch: found } = await knownBatch(redis, id);
  if (found.status === "completed") return;
  await finalizeBatch(redis, id);
  const state = await knownBatch(redis, id);
  if (state.chunks === null)
    throw new Error(`Batch ${id} is finished before its source was listed to the end. This is a bug.`);
  await writeResults(storage, id, state.chunks);
  const batch = completed(state);
  await storage.put(storageKeys.batchManifest(id), JSON.stringify({ ...batch, tenant }), {
    contentType: "application/json",
  });
  await announce(queues, {
    tenant,
    webhook: state.record.webhook,
    type: "batch.completed",
    timestamp: batch.completed_at,
    resource: batch,
  });
  await endBatch(redis, id, "completed", batch.completed_at);
  logger.info({ batch: id, ...batch.request_counts }, "batch completed");
}

async function knownBatch(redis: WorkerDeps["redis"], id: string): Promise<BatchState> {
  const state = await getBatchState(redis, id);
  if (state === undefined) throw new Error(`Batch ${id} is to be finished and Redis does not know it.`);
  return state;
}

/** The time of completion is the time finishing began, which Redis keeps, so that every try tells the same. */
function completed({ batch }: BatchState): Batch & { completed_at: string } {
  const completedAt = batch.completed_at ?? batch.finalizing_at;
  if (completedAt === null)
    throw new Error(`Batch ${batch.id} is finished without having been finalized. This is a bug.`);
  return { ...batch, status: "completed", progress: 1, eta_seconds: null, completed_at: completedAt };
}

async function writeResults(storage: WorkerDeps["storage"], id: string, chunks: number): Promise<void> {
  const options = { contentType: "application/x-ndjson" };
  await storage.putStream(storageKeys.batchResults(id), partsInOrder(storage, id, chunks), options);
  await storage.putStream(storageKeys.batchErrors(id), failedLines(storage, id), options);
}

/** The parts of a batch one after the other, of which a few are fetched ahead. */
async function* partsInOrder(
  storage: WorkerDeps["storage"],
  id: string,
  chunks: number,
): AsyncGenerator<Uint8Array, void, undefined> {
  const ahead: Promise<Uint8Array>[] = [];
  for (let chunk = 0; chunk < chunks + PARTS_AHEAD; chunk++) {
    if (chunk < chunks) {
      const fetched = readPart(storage, storageKeys.batchPart(id, chunk));
      // It is awaited below, perhaps after an earlier one has failed.
      fetched.catch(() => {});
      ahead.push(fetched);
    }
    const next = chunk >= PARTS_AHEAD - 1 ? ahead.shift() : undefined;
    if (next !== undefined) yield await next;
  }
}

async function readPart(storage: WorkerDeps["storage"], key: string): Promise<Uint8Array> {
  const part = await storage.get(key);
  if (part === undefined) throw new Error(`${key} is missing although its chunk was counted.`);
  return part;
}

/** The lines of the results that tell of a failure. */
async function* failedLines(
  storage: WorkerDeps["storage"],
  id: string,
): AsyncGenerator<Uint8Array, void, undefined> {
  const key = storageKeys.batchResults(id);
  const results = await storage.getStream(key);
  if (results === undefined) throw new Error(`${key} is gone although it has just been written.`);
  for await (const { bytes } of readLines(results, Infinity))
    if (bytes?.includes(FAILED)) yield Buffer.concat([bytes, LINE_FEED]);
}
