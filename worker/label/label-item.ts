import { setTimeout as sleep } from "node:timers/promises";
import type { BatchResult } from "../../shared/contracts/batch.ts";
import type { ImagePointer } from "../../shared/contracts/image.ts";
import type { ClassifyChunkPayload, ForLabeler } from "../../shared/contracts/queue-payloads.ts";
import { toItemError } from "../../shared/errors.ts";
import { inputOf } from "../../shared/item-input.ts";
import { batchItemId } from "../../shared/new-id.ts";
import type { ClassifyDeps } from "../classify/start.ts";
import { withRetries } from "../classify/with-retries.ts";
import type { Attempt } from "../consume.ts";
import { labelObject } from "./label-object.ts";
import type { ObjectEnd } from "./object-to-label.ts";

/** Milliseconds until an object is looked at again that another job has in hand. */
const BUSY_WAIT_MS = 1_000;

/** One item of a run: an object as it was listed. */
interface ListedObject {
  index: number;
  custom_id: string;
  image: ImagePointer & { type: "s3" };
}

/** A chunk of a labeler's run. */
export type RunChunk = ClassifyChunkPayload & { labeler: ForLabeler };

/**
 * Labels one object of a run, with retries of its own, and waits while another job has it in hand. Once `signal` is aborted
 * it is canceled for that reason, unless it was in hand already: what is begun is done. Throws when even the failure cannot
 * be written down.
 */
export async function labelItem(
  { index, custom_id, image }: ListedObject,
  { batch_id: batchId, tenant, labeler, top_k: topK, threshold }: RunChunk,
  attempt: Attempt,
  signal: AbortSignal,
  deps: ClassifyDeps,
): Promise<BatchResult> {
  const { bucket, key, etag } = image;
  const id = batchItemId(batchId, index);
  const object = { id, tenant, labeler, bucket, key, etag, topK, threshold };
  const attemptItem = async (lastTry: boolean): Promise<ObjectEnd> => {
    for (;;) {
      signal.throwIfAborted();
      const end = await labelObject(object, { ...attempt, lastTry }, deps);
      if (end !== "busy") return end;
      await sleep(BUSY_WAIT_MS, undefined, { signal }).catch(() => {});
    }
  };
  const end = await withRetries(attemptItem, signal).catch((error: unknown) => {
    if (error !== signal.reason) throw error;
    return { status: "canceled", error: toItemError(error) } as const;
  });
  const common = { custom_id, id, model_digest: deps.model.digest };
  const without = { ...common, predictions: null, metrics: {} };
  if (end.status === "succeeded") return { ...common, ...end, error: null };
  if (end.status === "skipped") return { ...without, ...end, error: null };
  return { ...without, ...end, input: inputOf(image) };
}
