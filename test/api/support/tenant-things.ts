import type { BatchRecord } from "../../../shared/contracts/queue-payloads.ts";
import { writeManifest } from "../../../shared/batch-manifest.ts";
import { redisKeys, storageKeys } from "../../../shared/keys.ts";
import { messageId, newId } from "../../../shared/new-id.ts";
import { queuedClassification } from "../../../shared/queued-classification.ts";
import { getBatchState, putBatch } from "../../../shared/state/batches.ts";
import { endMessage } from "../../../shared/state/webhook-messages.ts";
import { batchRecord } from "../../support/labelling.ts";
import { makeKey } from "./make-key.ts";
import type { TestApi } from "./test-api.ts";

const image = { url: "https://example.com/cat.jpg" };

/** One of everything that a tenant may have, each with `mark` somewhere in it: moving and ended where that makes a difference. */
export async function makeThings(api: TestApi, tenant: string, mark: string) {
  const { headers, shown: apiKey } = await makeKey(api, { tenant, name: mark });
  const metadata = { mark };
  const make = async (path: string, body: object) => {
    const response = await api.post(path, body, headers);
    if (!response.ok) throw new Error(`POST ${path} answered ${response.status}: ${await response.text()}`);
    return ((await response.json()) as { id: string }).id;
  };
  const endpoint = await make("/v1/webhook-endpoints", { url: `https://example.com/${mark}` });
  const labeler = await make("/v1/labelers", { bucket: "photos", metadata });
  return {
    headers,
    apiKey: apiKey.id,
    endpoint,
    labeler,
    upload: await make("/v1/uploads", { media_type: "image/png", bytes: 1 }),
    run: await make(`/v1/labelers/${labeler}/runs`, {}),
    classifications: [
      await make("/v1/classifications", { image, metadata }),
      await storeResult(api, tenant, mark),
    ],
    batches: [
      await make("/v1/batches", { items: [{ custom_id: "cat", image }], metadata }),
      await storeBatch(api, { tenant, metadata }),
    ],
    messages: [
      await make(`/v1/webhook-endpoints/${endpoint}/test`, {}),
      await endTestMessage(api, tenant, mark),
    ],
  };
}

/** A classification that storage alone knows, since it has ended. */
async function storeResult({ deps }: TestApi, tenant: string, mark: string): Promise<string> {
  const id = newId("cls");
  const now = new Date().toISOString();
  const queued = queuedClassification({
    kind: "image",
    id,
    tenant,
    model: "figures",
    image: { type: "url", url: image.url },
    priority: "interactive",
    top_k: 1,
    threshold: 0,
    metadata: { mark },
    webhook: null,
    created_at: now,
    feed: null,
    deadline: null,
    expires_at: null,
    url: `https://tresline.example/v1/classifications/${id}`,
  });
  const ended = { ...queued, status: "succeeded", predictions: [], completed_at: now };
  await deps.storage.put(storageKeys.result(tenant, id), JSON.stringify(ended), {
    contentType: "application/json",
  });
  return id;
}

/** A batch that storage alone knows, since it has ended; an item of it failed. */
async function storeBatch({ deps, redis }: TestApi, more: Partial<BatchRecord>): Promise<string> {
  const record = batchRecord({ model: "figures", webhook: null, ...more });
  await putBatch(redis.redis, record, 1);
  const state = await getBatchState(redis.redis, record.id);
  if (state === undefined) throw new Error(`${record.id} was not written.`);
  const counts = { total: 1, succeeded: 0, failed: 1, canceled: 0 };
  const now = new Date().toISOString();
  const batch = { ...state.batch, status: "completed" as const, request_counts: counts, completed_at: now };
  await writeManifest(deps.storage, { ...state, batch });
  await deps.storage.put(storageKeys.batchResults(record.id), "", { contentType: "application/x-ndjson" });
  await redis.redis.del(redisKeys.batch(record.id));
  return record.id;
}

/** A message to an address that has ended. */
async function endTestMessage({ redis }: TestApi, tenant: string, mark: string): Promise<string> {
  const id = await messageId(newId("cls"), "webhook.test", mark);
  const now = new Date().toISOString();
  const event = { type: "webhook.test", timestamp: now, data: { mark } };
  await endMessage(redis.redis, {
    payload: {
      message_id: id,
      tenant,
      event_type: "webhook.test",
      url: `https://example.com/${mark}`,
      body: JSON.stringify(event),
      created_at: now,
      sending: 0,
    },
    status: "failed",
    attempts: 1,
    reason: "It did not answer.",
    ended_at: now,
  });
  return id;
}
