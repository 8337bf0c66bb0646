import { batchItemPrefix, timeOfId } from "./new-id.ts";

/** Every Redis key begins with this; the braces keep them on one node of a Redis Cluster. */
export const REDIS_PREFIX = "{tresline}";

/** The Redis keys, besides the queues' own. */
export const redisKeys = {
  apiKey: (id: string) => `${REDIS_PREFIX}:api-key:${id}`,
  apiKeys: () => `${REDIS_PREFIX}:api-keys`,
  apiKeysOfTenant: (tenant: string) => `${REDIS_PREFIX}:api-keys:tenant:${tenant}`,
  consoleSession: (hash: string) => `${REDIS_PREFIX}:console-session:${hash}`,
  rateLimit: (keyId: string) => `${REDIS_PREFIX}:rate-limit:${keyId}`,
  idempotency: (tenant: string, key: string) => `${REDIS_PREFIX}:idempotency:${tenant}:${key}`,
  idempotencyId: (tenant: string, key: string) => `${REDIS_PREFIX}:idempotency-id:${tenant}:${key}`,
  finishedFeed: (feed: string) => `${REDIS_PREFIX}:finished:${feed}`,
  upload: (tenant: string, id: string) => `${REDIS_PREFIX}:upload:${tenant}:${id}`,
  canceledFeed: () => `${REDIS_PREFIX}:canceled`,
  classificationsOfTenant: (tenant: string) => `${REDIS_PREFIX}:classifications:tenant:${tenant}`,
  suspect: (id: string) => `${REDIS_PREFIX}:suspect:${id}`,
  batch: (id: string) => `${REDIS_PREFIX}:batch:${id}`,
  batchChunks: (id: string) => `${REDIS_PREFIX}:batch:${id}:chunks`,
  batchesOfTenant: (tenant: string) => `${REDIS_PREFIX}:batches:tenant:${tenant}`,
  labeler: (id: string) => `${REDIS_PREFIX}:labeler:${id}`,
  objectClaim: (labelerId: string, object: string) => `${REDIS_PREFIX}:object-claim:${labelerId}:${object}`,
  labelerRuns: (id: string) => `${REDIS_PREFIX}:labeler:${id}:runs`,
  labelersOfTenant: (tenant: string) => `${REDIS_PREFIX}:labelers:tenant:${tenant}`,
  labelersOfBucket: (bucket: string) => `${REDIS_PREFIX}:labelers:bucket:${bucket}`,
  sequencer: (object: string) => `${REDIS_PREFIX}:sequencer:${object}`,
  models: () => `${REDIS_PREFIX}:models`,
  modelLabels: () => `${REDIS_PREFIX}:models:labels`,
  worker: (id: string) => `${REDIS_PREFIX}:worker:${id}`,
  workers: () => `${REDIS_PREFIX}:workers`,
  // Secrets belong to a tenant or to an endpoint.
  webhookSecret: (owner: string) => `${REDIS_PREFIX}:webhook-secret:${owner}`,
  oldWebhookSecrets: (owner: string) => `${REDIS_PREFIX}:webhook-secret:${owner}:old`,
  webhookEndpoint: (tenant: string, id: string) => `${REDIS_PREFIX}:webhook-endpoint:${tenant}:${id}`,
  webhookEndpoints: (tenant: string) => `${REDIS_PREFIX}:webhook-endpoints:${tenant}`,
  webhookPublicKeys: () => `${REDIS_PREFIX}:webhook-public-keys`,
  webhookAttempts: (endpointId: string) => `${REDIS_PREFIX}:webhook-attempts:${endpointId}`,
  webhookMessage: (id: string) => `${REDIS_PREFIX}:webhook-message:${id}`,
  deliveredMessages: (receiver: string) => `${REDIS_PREFIX}:webhook-messages:${receiver}:delivered`,
  undeliveredMessages: (receiver: string) => `${REDIS_PREFIX}:webhook-messages:${receiver}:undelivered`,
  goneUrl: (tenant: string, url: string) => `${REDIS_PREFIX}:gone-url:${tenant}:${url}`,
} as const;

const digits = (value: number, length: number) => String(value).padStart(length, "0");

/** The storage keys. `results` are filed by the day (UTC) on which the classification was created. */
export const storageKeys = {
  upload: (id: string) => `uploads/${id}`,
  /** What the uploads of a batch's items begin with, and nothing else. */
  batchUploads: (id: string) => `uploads/${batchItemPrefix(id)}`,
  results: () => "results/",
  result: (tenant: string, id: string) => {
    const day = timeOfId(id);
    const folder = `${day.getUTCFullYear()}/${digits(day.getUTCMonth() + 1, 2)}/${digits(day.getUTCDate(), 2)}`;
    return `results/${tenant}/${folder}/${id}.json`;
  },
  batches: () => "batches/",
  batchFolder: (id: string) => `batches/${id}/`,
  batchItems: (id: string) => `batches/${id}/items.jsonl`,
  batchPage: (id: string, firstItem: number) => `batches/${id}/pages/${digits(firstItem, 10)}.json`,
  batchPart: (id: string, chunk: number) => `batches/${id}/parts/${digits(chunk, 8)}.jsonl`,
  batchResults: (id: string) => `batches/${id}/results.jsonl`,
  batchErrors: (id: string) => `batches/${id}/errors.jsonl`,
  batchCsv: (id: string) => `batches/${id}/results.csv`,
  batchParquet: (id: string) => `batches/${id}/results.parquet`,
  batchManifest: (id: string) => `batches/${id}/manifest.json`,
  // `object` is the hash of its bucket and key; its first digits keep folders of a directory small.
  objectRecord: (labelerId: string, object: string) =>
    `labelers/${labelerId}/objects/${object.slice(0, 2)}/${object}.json`,
} as const;

/** Whether Tresline wrote this object into somebody else's bucket: labels beside an image, or anything in a folder `.tresline`. */
export const isOwnKey = (key: string): boolean =>
  key.endsWith(".tresline.json") || key.startsWith(".tresline/") || key.includes("/.tresline/");
