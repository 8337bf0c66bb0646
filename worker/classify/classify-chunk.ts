import type { LimitFunction } from "p-limit";
import { BatchResult } from "../../shared/contracts/batch.ts";
import type { ItemStatus } from "../../shared/contracts/batch.ts";
import type { ClassifyChunkPayload } from "../../shared/contracts/queue-payloads.ts";
import { storageKeys } from "../../shared/keys.ts";
import { countChunk } from "../../shared/state/count-chunk.ts";
import type { Attempt } from "../consume.ts";
import { classifyItem } from "./classify-item.ts";
import type { ClassifyDeps } from "./start.ts";

/**
 * Does the job of one chunk: labels its items, writes their results as one part, counts it, and calls for the end of the
 * batch when it was the last. Throws when the chunk is to be done again; its part and its count are made once.
 * @param inHand bounds how many bulk images this worker holds at a time
 */
export async function classifyChunk(
  payload: ClassifyChunkPayload,
  attempt: Attempt,
  { inHand, ...deps }: ClassifyDeps & { inHand: LimitFunction },
): Promise<void> {
  const began = performance.now();
  const { batch_id: batchId, chunk, tenant } = payload;
  const key = storageKeys.batchPart(batchId, chunk);
  const isFirstTry = attempt.number === 1 && attempt.crashes === 0;
  const earlier = isFirstTry ? undefined : await readPart(deps.storage, key);
  const results =
    earlier ??
    (await writePart(
      deps.storage,
      key,
      await Promise.all(
        payload.items.map((item) => inHand(() => classifyItem(item, payload, attempt, deps))),
      ),
    ));
  const counts = countByStatus(results);
  const isLast = await countChunk(deps.redis, batchId, { number: chunk, counts });
  if (isLast)
    await deps.queues.enqueueScan({
      id: `${batchId}-finish`,
      payload: { kind: "finish", tenant, batch_id: batchId },
    });
  deps.logger.info(
    {
      batch: batchId,
      chunk,
      ...counts,
      attempt: attempt.number,
      ms: Math.round(performance.now() - began),
    },
    "chunk",
  );
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
