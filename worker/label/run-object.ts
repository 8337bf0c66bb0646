import type { ClassifyObjectPayload } from "../../shared/contracts/queue-payloads.ts";
import { countMissed } from "../../shared/state/labelers.ts";
import { MAX_ATTEMPTS } from "../classify/run-classification.ts";
import type { ClassifyDeps } from "../classify/start.ts";
import type { Attempt, PutOff } from "../consume.ts";
import { inJobSpan } from "../in-job-span.ts";
import { tellEnd } from "../tell-end.ts";
import { labelObject } from "./label-object.ts";

/** Milliseconds until an object is looked at again that another job has in hand. */
const BUSY_WAIT_MS = 2_000;

/**
 * Does the job of one object that an event told a labeler of. Throws when it is to be tried again, and puts itself off while
 * another job has the object in hand. What its labeler was paused or deleted before is left alone: resuming it starts a run
 * that finds it.
 */
export const runObject = (
  job: ClassifyObjectPayload,
  attempt: Attempt,
  deps: ClassifyDeps,
): Promise<PutOff | undefined> =>
  inJobSpan(deps.tracer, "label object", job, async (payload, span): Promise<PutOff | undefined> => {
    const { redis, logger, metrics, model } = deps;
    const { id, tenant, labeler, bucket, key, top_k: topK, threshold } = payload;
    const about = { id, labeler: labeler.id, tenant, bucket, key };
    if (await countMissed(redis, labeler.id, 1)) {
      tellEnd({ logger, span }, "object missed: its labeler is paused or gone", about);
      return undefined;
    }
    const end = await labelObject(
      { id, tenant, labeler, bucket, key, etag: undefined, topK, threshold },
      { ...attempt, lastTry: attempt.number >= MAX_ATTEMPTS },
      deps,
    );
    if (end === "busy") return { putOffMs: BUSY_WAIT_MS };
    metrics.imageEnded("bulk", end);
    tellEnd({ logger, span }, "object", {
      ...about,
      model: model.name,
      digest: model.digest,
      device: model.device,
      lane: "bulk",
      status: end.status,
      label: end.status === "succeeded" ? end.predictions[0]?.label : undefined,
      code: end.status === "failed" ? end.error.code : undefined,
      attempt: attempt.number,
      crashes: attempt.crashes,
      ...(end.status === "succeeded" && end.metrics),
    });
    return undefined;
  });
