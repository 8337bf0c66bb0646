import pLimit from "p-limit";
import type { Batch, CreateBatch } from "../../shared/contracts/batch.ts";
import type { BatchItem, BatchRecord, BatchSource } from "../../shared/contracts/queue-payloads.ts";
import { storageKeys } from "../../shared/keys.ts";
import { batchItemId, newId } from "../../shared/new-id.ts";
import { expiryOf } from "../../shared/retention.ts";
import type { ApiDeps } from "../deps.ts";
import { acceptBatch } from "./accept-batch.ts";
import { checkBucket } from "./check-bucket.ts";
import { findUpload } from "./find-upload.ts";
import { refuseOverload } from "./refuse-overload.ts";
import { resolveModel } from "./resolve-model.ts";
import { resolveWebhook } from "./resolve-webhook.ts";
import { storeImage } from "./store-image.ts";

/** Images that came with a request and are stored at once. */
const STORED_AT_ONCE = 8;

/** A batch to label, as a request asks for it. */
export interface CreateBatchInput {
  /** What it is to be called; a new id when absent. One that there is already is not made again. */
  id?: string;
  tenant: string;
  request: CreateBatch;
  /** Milliseconds after which it expires unless it has ended by then; undefined for never. */
  cancelAfterMs: number | undefined;
  /** The place in a trace that its jobs go under. */
  traceparent: string;
}

/** Accepts a batch: its items are stored, and Redis has the job that lists them, when it returns. Throws AppError fetch_forbidden for a bucket that may not be read. */
export async function createBatch(
  deps: ApiDeps,
  { id = newId("bat"), tenant, request, cancelAfterMs, traceparent }: CreateBatchInput,
): Promise<Batch> {
  const now = Date.now();
  const source = sourceOf(deps, request);
  const model = await resolveModel(deps, request.model);
  await refuseOverload(deps, model, "bulk");
  const webhook = await resolveWebhook(deps, tenant, request);
  const { items = [] } = request;
  if (source.type === "items")
    await deps.storage.put(storageKeys.batchItems(id), await storeItems(deps, tenant, id, items), {
      contentType: "application/x-ndjson",
    });
  const record: BatchRecord = {
    id,
    tenant,
    model,
    source,
    top_k: request.top_k,
    threshold: request.threshold,
    metadata: request.metadata,
    output_formats: request.output_formats,
    deadline: cancelAfterMs === undefined ? null : new Date(now + cancelAfterMs).toISOString(),
    webhook,
    created_at: new Date(now).toISOString(),
    expires_at: expiryOf(deps.config.RETENTION_DAYS, id),
    url: `${deps.baseUrl()}/v1/batches/${id}`,
  };
  return acceptBatch(deps, record, { total: items.length, traceparent });
}

function sourceOf(deps: Pick<ApiDeps, "config">, { manifest, prefix, inventory }: CreateBatch): BatchSource {
  if (manifest) {
    checkBucket(deps, manifest.s3.bucket, "/manifest/s3/bucket");
    return { type: "manifest", ...manifest.s3 };
  }
  if (prefix) {
    checkBucket(deps, prefix.bucket, "/prefix/bucket");
    return { type: "prefix", ...prefix };
  }
  if (inventory) {
    const { s3, prefix: begin = "", suffixes } = inventory;
    checkBucket(deps, s3.bucket, "/inventory/s3/bucket");
    return { type: "inventory", ...s3, prefix: begin, suffixes };
  }
  return { type: "items" };
}

/** Finds what was uploaded before it stores anything, so that a request that is refused leaves nothing. */
async function storeItems(
  deps: Pick<ApiDeps, "redis" | "storage">,
  tenant: string,
  id: string,
  items: NonNullable<CreateBatch["items"]>,
): Promise<string> {
  const limit = pLimit(STORED_AT_ONCE);
  const sources = await Promise.all(
    items.map(({ custom_id, image }, index) =>
      limit(async () => {
        const pointer = `/items/${index}/image/upload_id`;
        const found = "upload_id" in image ? await findUpload(deps, tenant, image.upload_id, pointer) : image;
        return { index, custom_id, image: found };
      }),
    ),
  );
  const stored = await Promise.all(
    sources.map(({ index, custom_id, image }) =>
      limit(async (): Promise<BatchItem> => {
        const pointer =
          "type" in image ? image : await storeImage(deps.storage, batchItemId(id, index), image);
        return { index, custom_id, image: pointer };
      }),
    ),
  );
  return stored.map((item) => `${JSON.stringify(item)}\n`).join("");
}
