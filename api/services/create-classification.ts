import type { Classification, ClassificationOptions } from "../../shared/contracts/classification.ts";
import type { ImageInput } from "../../shared/contracts/image.ts";
import type { ClassifyImagePayload } from "../../shared/contracts/queue-payloads.ts";
import { redisKeys } from "../../shared/keys.ts";
import { newId } from "../../shared/new-id.ts";
import { queuedClassification } from "../../shared/queued-classification.ts";
import type { FinishedWait } from "../../shared/state/finished-feed.ts";
import type { ApiDeps } from "../deps.ts";
import { expiryOf } from "../../shared/retention.ts";
import { addNewestId } from "../../shared/state/id-list.ts";
import { findUpload } from "./find-upload.ts";
import { refuseOverload } from "./refuse-overload.ts";
import { resolveModel } from "./resolve-model.ts";
import { resolveWebhook } from "./resolve-webhook.ts";
import { storeImage } from "./store-image.ts";
import type { ImageBytes } from "./store-image.ts";

/** One image to classify, as a request asks for it. */
export interface CreateClassificationInput {
  /** What it is to be called; a new id when absent. One that there is already is not made again. */
  id?: string;
  tenant: string;
  image: ImageInput | ImageBytes;
  options: ClassificationOptions;
  /** Milliseconds after which it is aborted unless it has been run by then; undefined for never. */
  cancelAfterMs: number | undefined;
  /** Milliseconds to wait for the end; 0 answers at once. */
  waitMs: number;
  /** The place in a trace that its job goes under. */
  traceparent: string;
  /** Aborted when the client has gone or the process is to stop. */
  signal: AbortSignal;
}

/** Accepts an image: when it returns, Redis has the job. The answer is the finished classification when that came in time. */
export async function createClassification(
  deps: ApiDeps,
  input: CreateClassificationInput,
): Promise<Classification> {
  const { id = newId("cls") } = input;
  const listening = input.waitMs > 0 ? deps.finished.expect(id) : undefined;
  // Its failure is met where it is awaited, which may be later than it happens.
  listening?.catch(() => {});
  const queued = await accept(deps, id, input, listening).catch((error: unknown) => {
    listening?.then(
      (wait) => wait.cancel(),
      () => {},
    );
    throw error;
  });
  const wait = await listening;
  // It is accepted whatever becomes of the wait, as when Redis goes now.
  const ended = await wait?.result(input.waitMs, input.signal).catch((err: unknown) => {
    deps.logger.warn({ id, err }, "a wait was cut short");
  });
  return ended ?? queued;
}

/** Stores what came with the request and enqueues the job, in this order and not before its end can be heard of. */
async function accept(
  deps: ApiDeps,
  id: string,
  { tenant, image, options, cancelAfterMs, traceparent }: CreateClassificationInput,
  listening: Promise<FinishedWait> | undefined,
): Promise<Classification> {
  const now = Date.now();
  const model = await resolveModel(deps, options.model);
  await refuseOverload(deps, model, options.priority);
  const webhook = await resolveWebhook(deps, tenant, options);
  const finding =
    "upload_id" in image
      ? findUpload(deps, tenant, image.upload_id, "/image/upload_id")
      : storeImage(deps.storage, id, image);
  const [pointer, wait] = await Promise.all([finding, listening]);
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
    webhook,
    created_at: new Date(now).toISOString(),
    feed: wait?.feed ?? null,
    deadline: cancelAfterMs === undefined ? null : new Date(now + cancelAfterMs).toISOString(),
    expires_at: expiryOf(deps.config.RETENTION_DAYS, id),
    url: `${deps.baseUrl()}/v1/classifications/${id}`,
    traceparent,
  };
  // Sent together with the job, so that it takes no time; an image that is accepted and not listed stays accepted.
  const listed = addNewestId(deps.redis, redisKeys.classificationsOfTenant(tenant), id).catch(
    (err: unknown) => deps.logger.warn({ id, err }, "a classification is not listed"),
  );
  await deps.queues.enqueueClassify(model, options.priority, [{ id, payload }]);
  await listed;
  return queuedClassification(payload);
}
