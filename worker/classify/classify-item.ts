import type { BatchResult } from "../../shared/contracts/batch.ts";
import type { ImagePointer } from "../../shared/contracts/image.ts";
import type { BatchItem, ClassifyChunkPayload } from "../../shared/contracts/queue-payloads.ts";
import { PermanentError, toItemError } from "../../shared/errors.ts";
import { inputOf } from "../../shared/item-input.ts";
import { batchItemId } from "../../shared/new-id.ts";
import type { Attempt } from "../consume.ts";
import { labelItem } from "../label/label-item.ts";
import { classifyImage } from "./classify-image.ts";
import { tryImage } from "./outcome.ts";
import type { ClassifyDeps } from "./start.ts";
import { withRetries } from "./with-retries.ts";

/** Labels one item of a chunk, with retries of its own: whatever stands in its way becomes its failure. Once `signal` is aborted it is canceled for that reason. */
export async function classifyItem(
  item: BatchItem,
  payload: ClassifyChunkPayload,
  attempt: Attempt,
  signal: AbortSignal,
  deps: ClassifyDeps,
): Promise<BatchResult> {
  const { labeler } = payload;
  if (labeler && "image" in item && item.image.type === "s3")
    return labelItem({ ...item, image: item.image }, { ...payload, labeler }, attempt, signal, deps);
  const { batch_id: batchId, tenant, top_k: topK, threshold } = payload;
  const { labelling, quarantine, model, logger } = deps;
  const { index, custom_id } = item;
  const id = batchItemId(batchId, index);
  const run = async () => {
    if ("fault" in item) throw new PermanentError("invalid_request", item.fault);
    signal.throwIfAborted();
    return classifyImage(
      present(item.image),
      { lane: "bulk", tenant, signal },
      { topK, threshold },
      labelling,
    );
  };
  const attemptItem = (lastTry: boolean) =>
    tryImage(() => (attempt.crashes > 0 ? quarantine(id, run) : run()), { lastTry, id, logger });
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

/** A batch labels what is there when its turn comes, whatever was there when it was listed. */
const present = (image: ImagePointer): ImagePointer =>
  image.type === "s3" ? { ...image, etag: undefined } : image;
