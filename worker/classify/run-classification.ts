import type { Classification } from "../../shared/contracts/classification.ts";
import type { ClassifyImagePayload } from "../../shared/contracts/queue-payloads.ts";
import { queuedClassification } from "../../shared/queued-classification.ts";
import { readResult, saveResult } from "../../shared/save-result.ts";
import type { Attempt } from "../consume.ts";
import { classifyImage } from "./classify-image.ts";
import { withDeadline } from "./deadline.ts";
import { tryImage } from "./outcome.ts";
import type { Outcome } from "./outcome.ts";
import type { ClassifyDeps } from "./start.ts";

/** How often an image is tried before what stands in its way becomes its failure. */
export const MAX_ATTEMPTS = 5;

/**
 * Does the job of one classification: labels its image and saves the result. Throws when it is to be tried again. When an
 * earlier try stored a result and was killed before it had told everybody, that result is told instead.
 */
export async function runClassification(
  payload: ClassifyImagePayload,
  attempt: Attempt,
  deps: ClassifyDeps,
): Promise<void> {
  const isFirstTry = attempt.number === 1 && attempt.crashes === 0;
  const earlier = isFirstTry ? undefined : await readResult(deps.storage, payload);
  const labelled = earlier ?? (await label(payload, attempt, deps));
  const saving = performance.now();
  const finished = await saveResult(labelled, payload, deps);
  if (earlier === undefined) deps.metrics.imageStored(payload.priority, labelled, performance.now() - saving);
  deps.logger.info(
    {
      id: finished.id,
      status: finished.status,
      label: finished.predictions?.[0]?.label,
      code: finished.error?.code,
      attempt: attempt.number,
      ...finished.metrics,
    },
    "classification",
  );
}

async function label(
  payload: ClassifyImagePayload,
  { number, crashes }: Attempt,
  { labelling, quarantine, canceled, model, logger }: ClassifyDeps,
): Promise<Classification> {
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
  const started = { model_digest: model.digest, device: model.device, started_at: startedAt.toISOString() };
  return finish({ ...queuedClassification(payload), ...started }, outcome, startedAt);
}

function finish(started: Classification, outcome: Outcome, startedAt: Date): Classification {
  const created = Date.parse(started.created_at);
  const completedAt = new Date();
  const times = { queue_ms: startedAt.getTime() - created, total_ms: completedAt.getTime() - created };
  const ended =
    outcome.status === "succeeded"
      ? { predictions: outcome.predictions, metrics: { ...outcome.metrics, ...times } }
      : { error: outcome.error, metrics: times };
  return { ...started, ...ended, status: outcome.status, completed_at: completedAt.toISOString() };
}
