import type { LimitFunction } from "p-limit";
import { BatchResult } from "../../shared/contracts/batch.ts";
import type { BatchItem, ClassifyChunkPayload } from "../../shared/contracts/queue-payloads.ts";
import { PermanentError } from "../../shared/errors.ts";
import { storageKeys } from "../../shared/keys.ts";
import { batchItemId } from "../../shared/new-id.ts";
import { countChunk } from "../../shared/state/count-chunk.ts";
import type { Attempt } from "../consume.ts";
import { classifyImage } from "./classify-image.ts";
import { tryImage } from "./outcome.ts";
import type { ClassifyDeps } from "./start.ts";

/** Milliseconds to wait before each further try of an item that met trouble which may pass. */
const RETRY_WAITS_MS = [1_000, 4_000];

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
  const succeeded = results.filter(({ status }) => status === "succeeded").length;
  const failed = results.length - succeeded;
  const isLast = await countChunk(deps.redis, batchId, { number: chunk, succeeded, failed });
  if (isLast)
    await deps.queues.enqueueScan({
      id: `${batchId}-finish`,
      payload: { kind: "finish", tenant, batch_id: batchId },
    });
  deps.logger.info(
    {
      batch: batchId,
      chunk,
      succeeded,
      failed,
      attempt: attempt.number,
      ms: Math.round(performance.now() - began),
    },
    "chunk",
  );
}

async function classifyItem(
  item: BatchItem,
  { batch_id: batchId, tenant, top_k: topK, threshold }: ClassifyChunkPayload,
  { crashes }: Attempt,
  { labelling, quarantine, model, logger }: ClassifyDeps,
): Promise<BatchResult> {
  const { index, custom_id } = item;
  const id = batchItemId(batchId, index);
  const run = async () => {
    if ("fault" in item) throw new PermanentError("invalid_request", item.fault);
    return classifyImage(item.image, { lane: "bulk", tenant }, { topK, threshold }, labelling);
  };
  const attemptItem = (lastTry: boolean) =>
    tryImage(() => (crashes > 0 ? quarantine(id, run) : run()), { lastTry, id, logger });
  const outcome = await withRetries(attemptItem);
  const ended =
    outcome.status === "succeeded"
      ? { predictions: outcome.predictions, error: null, metrics: outcome.metrics }
      : { predictions: null, error: outcome.error, metrics: {} };
  const status = outcome.status === "succeeded" ? "succeeded" : "failed";
  return { custom_id, id, status, ...ended, model_digest: model.digest };
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

async function withRetries<Result>(attempt: (lastTry: boolean) => Promise<Result>): Promise<Result> {
  for (const wait of RETRY_WAITS_MS) {
    try {
      return await attempt(false);
    } catch {
      await new Promise((resolve) => setTimeout(resolve, wait));
    }
  }
  return attempt(true);
}
