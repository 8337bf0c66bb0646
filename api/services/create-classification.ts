import type { Classification, ClassificationOptions } from "../../shared/contracts/classification.ts";
import type { ImageInput } from "../../shared/contracts/image.ts";
import type { ClassifyImagePayload } from "../../shared/contracts/queue-payloads.ts";
import { newId } from "../../shared/new-id.ts";
import { queuedClassification } from "../../shared/queued-classification.ts";
import { putClassification } from "../../shared/state/classifications.ts";
import type { ApiDeps } from "../deps.ts";
import { resolveModel } from "./resolve-model.ts";
import { storeImage } from "./store-image.ts";
import type { ImageBytes } from "./store-image.ts";

/** One image to classify, as a request asks for it. */
export interface CreateClassificationInput {
  tenant: string;
  image: ImageInput | ImageBytes;
  options: ClassificationOptions;
  /** Milliseconds after which it is aborted unless it has been run by then; undefined for never. */
  cancelAfterMs: number | undefined;
  /** Milliseconds to wait for the end; 0 answers at once. */
  waitMs: number;
  /** Aborted when the client has gone or the process is to stop. */
  signal: AbortSignal;
}

/** Accepts an image: when it returns, Redis has the job. The answer is the finished classification when that came in time. */
export async function createClassification(
  deps: ApiDeps,
  { tenant, image, options, cancelAfterMs, waitMs, signal }: CreateClassificationInput,
): Promise<Classification> {
  const model = await resolveModel(deps, options.model);
  const id = newId("cls");
  const now = Date.now();
  const pointer = await storeImage(deps.storage, id, image);
  const payload: ClassifyImagePayload = {
    kind: "image",
    id,
    tenant,
    model,
    image: pointer,
    priority: options.priority,
    top_k: options.top_k,
    threshold: options.threshold,
    metadata: options.metadata,
    webhook:
      options.webhook === undefined ? null : { url: options.webhook, events: options.webhook_events_filter },
    created_at: new Date(now).toISOString(),
    deadline: cancelAfterMs === undefined ? null : new Date(now + cancelAfterMs).toISOString(),
    url: `${deps.baseUrl()}/v1/classifications/${id}`,
  };
  const queued = queuedClassification(payload);
  const wait = waitMs > 0 ? await deps.finished.expect(id) : undefined;
  try {
    await putClassification(deps.redis, tenant, queued);
    await deps.queues.enqueueClassify(model, options.priority, [{ id, payload }]);
  } catch (error) {
    wait?.cancel().catch(() => {});
    throw error;
  }
  // It is accepted whatever becomes of the wait, as when Redis goes now.
  const ended = await wait?.result(waitMs, signal).catch((err: unknown) => {
    deps.logger.warn({ id, err }, "a wait was cut short");
  });
  return ended ?? queued;
}
