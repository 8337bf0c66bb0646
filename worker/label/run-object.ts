import type { ClassifyObjectPayload } from "../../shared/contracts/queue-payloads.ts";
import { countMissed } from "../../shared/state/labelers.ts";
import { MAX_ATTEMPTS } from "../classify/run-classification.ts";
import type { ClassifyDeps } from "../classify/start.ts";
import type { Attempt, PutOff } from "../consume.ts";
import { labelObject } from "./label-object.ts";

/** Milliseconds until an object is looked at again that another job has in hand. */
const BUSY_WAIT_MS = 2_000;

/**
 * Does the job of one object that an event told a labeler of. Throws when it is to be tried again, and puts itself off while
 * another job has the object in hand. What its labeler was paused or deleted before is left alone: resuming it starts a run
 * that finds it.
 */
export async function runObject(
  { id, tenant, labeler, bucket, key, top_k: topK, threshold }: ClassifyObjectPayload,
  attempt: Attempt,
  deps: ClassifyDeps,
): Promise<void | PutOff> {
  if (await countMissed(deps.redis, labeler.id, 1)) {
    deps.logger.info(
      { id, labeler: labeler.id, bucket, key },
      "object missed: its labeler is paused or gone",
    );
    return;
  }
  const end = await labelObject(
    { id, tenant, labeler, bucket, key, etag: undefined, topK, threshold },
    { ...attempt, lastTry: attempt.number >= MAX_ATTEMPTS },
    deps,
  );
  if (end === "busy") return { putOffMs: BUSY_WAIT_MS };
  deps.metrics.imageEnded("bulk", end);
  deps.logger.info(
    {
      id,
      labeler: labeler.id,
      bucket,
      key,
      status: end.status,
      label: end.status === "succeeded" ? end.predictions[0]?.label : undefined,
      code: end.status === "failed" ? end.error.code : undefined,
      attempt: attempt.number,
      ...(end.status === "succeeded" && end.metrics),
    },
    "object",
  );
}
