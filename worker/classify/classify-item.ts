import type { BatchResult } from "../../shared/contracts/batch.ts";
import type { BatchItem, ClassifyChunkPayload } from "../../shared/contracts/queue-payloads.ts";
import { PermanentError } from "../../shared/errors.ts";
import { batchItemId } from "../../shared/new-id.ts";
import type { Attempt } from "../consume.ts";
import { classifyImage } from "./classify-image.ts";
import { tryImage } from "./outcome.ts";
import type { ClassifyDeps } from "./start.ts";

/** Milliseconds to wait before each further try of an item that met trouble which may pass. */
const RETRY_WAITS_MS = [1_000, 4_000];

/** Labels one item of a chunk, with retries of its own: whatever stands in its way becomes its failure. */
export async function classifyItem(
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
