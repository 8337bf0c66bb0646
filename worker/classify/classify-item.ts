import { setTimeout as sleep } from "node:timers/promises";
import type { BatchResult } from "../../shared/contracts/batch.ts";
import type { BatchItem, ClassifyChunkPayload } from "../../shared/contracts/queue-payloads.ts";
import { PermanentError, toItemError } from "../../shared/errors.ts";
import { inputOf } from "../../shared/item-input.ts";
import { batchItemId } from "../../shared/new-id.ts";
import type { Attempt } from "../consume.ts";
import { classifyImage } from "./classify-image.ts";
import { tryImage } from "./outcome.ts";
import type { ClassifyDeps } from "./start.ts";

/** Milliseconds to wait before each further try of an item that met trouble which may pass. */
const RETRY_WAITS_MS = [1_000, 4_000];

/** Labels one item of a chunk, with retries of its own: whatever stands in its way becomes its failure. Once `signal` is aborted it is canceled for that reason. */
export async function classifyItem(
  item: BatchItem,
  { batch_id: batchId, tenant, top_k: topK, threshold }: ClassifyChunkPayload,
  { crashes }: Attempt,
  signal: AbortSignal,
  { labelling, quarantine, model, logger }: ClassifyDeps,
): Promise<BatchResult> {
  const { index, custom_id } = item;
  const id = batchItemId(batchId, index);
  const run = async () => {
    if ("fault" in item) throw new PermanentError("invalid_request", item.fault);
    signal.throwIfAborted();
    return classifyImage(item.image, { lane: "bulk", tenant, signal }, { topK, threshold }, labelling);
  };
  const attemptItem = (lastTry: boolean) =>
    tryImage(() => (crashes > 0 ? quarantine(id, run) : run()), { lastTry, id, logger });
  const outcome = await withRetries(attemptItem, signal);
  const common = { custom_id, id, model_digest: model.digest };
  if (outcome.status === "succeeded") {
    const { status, predictions, metrics } = outcome;
    return { ...common, status, predictions, error: null, metrics };
  }
  const { error } = outcome;
  const isCanceled = signal.aborted && error.code === toItemError(signal.reason).code;
  const input = "image" in item ? { input: inputOf(item.image) } : {};
  return {
    ...common,
    status: isCanceled ? "canceled" : "failed",
    ...input,
    predictions: null,
    error,
    metrics: {},
  };
}

async function withRetries<Result>(
  attempt: (lastTry: boolean) => Promise<Result>,
  signal: AbortSignal,
): Promise<Result> {
  for (const wait of RETRY_WAITS_MS) {
    if (signal.aborted) break;
    try {
      return await attempt(false);
    } catch {
      await sleep(wait, undefined, { signal }).catch(() => {});
    }
  }
  return attempt(true);
}
