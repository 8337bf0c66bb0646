import type { LimitFunction } from "p-limit";
import { BatchResult } from "../../shared/contracts/batch.ts";
import type { ItemStatus } from "../../shared/contracts/batch.ts";
import type { BatchItem, ClassifyChunkPayload } from "../../shared/contracts/queue-payloads.ts";
import { storageKeys } from "../../shared/keys.ts";
import { countChunk } from "../../shared/state/count-chunk.ts";
import type { Attempt } from "../consume.ts";
import { inJobSpan } from "../in-job-span.ts";
import { tellEnd } from "../tell-end.ts";
import { classifyItem } from "./classify-item.ts";
import type { ClassifyDeps } from "./start.ts";
import { tellProgress } from "./tell-progress.ts";
import { withBatch } from "./with-batch.ts";

/**
 * Does the job of one chunk: labels its items, writes their results as one part, counts it, and calls for the end of the
 * batch when it was the last. Throws when the chunk is to be done again; its part and its count are made once. When the
 * batch is to stop, items that have no labels yet end as canceled; when it has failed, nothing is written.
 * @param inHand bounds how many bulk images this worker holds at a time
 */
export const classifyChunk = (
  job: ClassifyChunkPayload,
  attempt: Attempt,
  { inHand, ...deps }: ClassifyDeps & { inHand: LimitFunction },
): Promise<void> =>
  inJobSpan(deps.tracer, "classify chunk", job, async (payload, span) => {
    const { redis, storage, queues, logger, model } = deps;
    const began = performance.now();
    const { batch_id: batchId, chunk, tenant, traceparent } = payload;
    const key = storageKeys.batchPart(batchId, chunk);
    const isFirstTry = !attempt.isRepeated;
    const earlier = isFirstTry ? undefined : await readPart(storage, key);
    const results = earlier ?? (await labelChunk(payload, attempt, inHand, deps));
    const about = {
      id: batchId,
      chunk,
      tenant,
      model: model.name,
      digest: model.digest,
      device: model.device,
      lane: "bulk",
      attempt: attempt.number,
      crashes: attempt.crashes,
    };
    if (results === undefined) {
      tellEnd({ logger, span }, "chunk dropped: its batch has ended", about);
      return;
    }
    const counts = countByStatus(results);
    const { isLast, progressAt } = await countChunk(redis, batchId, { number: chunk, counts });
    if (isLast)
      await queues.enqueueScan({
        id: `${batchId}-finish`,
        payload: { kind: "finish", tenant, batch_id: batchId, traceparent },
      });
    if (progressAt !== undefined) await tellProgress(payload, progressAt, deps);
    tellEnd({ logger, span }, "chunk", { ...about, ...counts, ms: Math.round(performance.now() - began) });
  });

/** The chunk's results, stored; undefined when nobody counts on them any more. */
async function labelChunk(
  payload: ClassifyChunkPayload,
  attempt: Attempt,
  inHand: LimitFunction,
  deps: ClassifyDeps,
): Promise<BatchResult[] | undefined> {
  const { batch_id: batchId, chunk, items } = payload;
  const results = await withBatch(deps.redis, batchId, (signal) => {
    const label = (item: BatchItem) => classifyItem(item, payload, attempt, signal, deps);
    return Promise.all(items.map((item) => (signal.aborted ? label(item) : inHand(() => label(item)))));
  });
  if (results === undefined) return undefined;
  const saving = performance.now();
  const stored = await writePart(deps.storage, storageKeys.batchPart(batchId, chunk), results);
  deps.metrics.chunkStored(results, performance.now() - saving);
  return stored;
}

function countByStatus(results: readonly BatchResult[]): Partial<Record<ItemStatus, number>> {
  const counts: Partial<Record<ItemStatus, number>> = {};
  for (const { status } of results) counts[status] = (counts[status] ?? 0) + 1;
  return counts;
}

const toPart = (results: readonly BatchResult[]) =>
  results.map((result) => `${JSON.stringify(result)}\n`).join("");

/** Writes a chunk's part unless another worker has; what is stored is what counts. */
async function writePart(
  storage: ClassifyDeps["storage"],
  key: string,
  results: BatchResult[],
): Promise<BatchResult[]> {
  const isFirst = await storage.putIfAbsent(key, toPart(results), { contentType: "application/x-ndjson" });
  return isFirst ? results : ((await readPart(storage, key)) ?? results);
}

async function readPart(storage: ClassifyDeps["storage"], key: string): Promise<BatchResult[] | undefined> {
  const bytes = await storage.get(key);
  if (bytes === undefined) return undefined;
  const lines = new TextDecoder().decode(bytes).trimEnd().split("\n");
  return lines.map((line) => BatchResult.parse(JSON.parse(line)));
}
