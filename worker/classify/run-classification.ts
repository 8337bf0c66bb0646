import type { Classification } from "../../shared/contracts/classification.ts";
import type { ClassifyImagePayload } from "../../shared/contracts/queue-payloads.ts";
import { queuedClassification } from "../../shared/queued-classification.ts";
import { readResult, saveResult } from "../../shared/save-result.ts";
import type { Attempt } from "../consume.ts";
import { inJobSpan } from "../in-job-span.ts";
import { tellEnd } from "../tell-end.ts";
import { classifyImage } from "./classify-image.ts";
import { withDeadline } from "./deadline.ts";
import { tryImage } from "./outcome.ts";
import type { Outcome } from "./outcome.ts";
import type { ClassifyDeps } from "./start.ts";
import { tellStages } from "./tell-stages.ts";

/** How often an image is tried before what stands in its way becomes its failure. */
export const MAX_ATTEMPTS = 5;

/**
 * Does the job of one classification: labels its image and saves the result. Throws when it is to be tried again. When an
 * earlier try stored a result and was killed before it had told everybody, that result is told instead.
 */
export const runClassification = (
  job: ClassifyImagePayload,
  attempt: Attempt,
  deps: ClassifyDeps,
): Promise<void> =>
  inJobSpan(deps.tracer, "classify image", job, async (payload, span) => {
    const { tracer, logger, storage, metrics } = deps;
    const isFirstTry = !attempt.isRepeated;
    const earlier = isFirstTry ? undefined : await readResult(storage, payload);
    const { ended, bytes } = earlier ? { ended: earlier } : await label(payload, attempt, deps);
    const saving = performance.now();
    const storing = tracer.start("store", { kind: "internal", parent: payload.traceparent });
    const told = await saveResult(ended, payload, deps);
    storing.end();
    if (earlier === undefined) metrics.imageStored(payload.priority, ended, performance.now() - saving);
    tellEnd({ logger, span }, "classification", {
      id: told.id,
      tenant: payload.tenant,
      model: told.model,
      digest: told.model_digest,
      device: told.device,
      lane: payload.priority,
      status: told.status,
      label: told.predictions?.[0]?.label,
      code: told.error?.code,
      attempt: attempt.number,
      crashes: attempt.crashes,
      bytes,
      ...told.metrics,
    });
  });

async function label(
  payload: ClassifyImagePayload & { traceparent: string },
  { number, crashes }: Attempt,
  { labelling, quarantine, canceled, model, logger, tracer }: ClassifyDeps,
): Promise<{ ended: Classification; bytes?: number }> {
  const startedAt = new Date();
  const outcome = await tryImage(
    () =>
      canceled.during(payload.id, (unwanted) => {
        const options = { topK: payload.top_k, threshold: payload.threshold };
        const run = () =>
          withDeadline(payload.deadline, unwanted, (signal) => {
            const seat = { lane: payload.priority, tenant: payload.tenant, signal };
            return classifyImage(payload.image, seat, options, labelling);
          });
        return crashes > 0 ? quarantine(payload.id, run) : run();
      }),
    { lastTry: number >= MAX_ATTEMPTS, id: payload.id, logger },
  );
  const ended = finish(payload, outcome, { model, startedAt });
  if (outcome.status !== "succeeded") return { ended };
  tellStages(tracer, payload.traceparent, outcome.metrics, Date.now());
  return { ended, bytes: outcome.bytes };
}

/** The resource that a queued classification ends as. */
function finish(
  payload: ClassifyImagePayload,
  outcome: Outcome,
  { model, startedAt }: { model: ClassifyDeps["model"]; startedAt: Date },
): Classification {
  const created = Date.parse(payload.created_at);
  const completedAt = new Date();
  const times = { queue_ms: startedAt.getTime() - created, total_ms: completedAt.getTime() - created };
  const end =
    outcome.status === "succeeded"
      ? { predictions: outcome.predictions, error: null, metrics: { ...outcome.metrics, ...times } }
      : { predictions: null, error: outcome.error, metrics: times };
  return {
    ...queuedClassification(payload),
    status: outcome.status,
    model_digest: model.digest,
    device: model.device,
    predictions: end.predictions,
    error: end.error,
    metrics: end.metrics,
    started_at: startedAt.toISOString(),
    completed_at: completedAt.toISOString(),
  };
}
