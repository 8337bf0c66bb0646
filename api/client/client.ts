import { apiKeys } from "./api-keys.ts";
import type { ApiKeys } from "./api-keys.ts";
import { batches } from "./batches.ts";
import type { Batches } from "./batches.ts";
import { classifications } from "./classifications.ts";
import type { Classifications } from "./classifications.ts";
import { labelers } from "./labelers.ts";
import type { Labelers } from "./labelers.ts";
import { models } from "./models.ts";
import type { Models } from "./models.ts";
import { queues } from "./queues.ts";
import type { Queues } from "./queues.ts";
import { openTransport } from "./transport.ts";
import type { ClientOptions } from "./transport.ts";
import { uploads } from "./uploads.ts";
import type { Uploads } from "./uploads.ts";
import { webhookEndpoints } from "./webhook-endpoints.ts";
import type { WebhookEndpoints } from "./webhook-endpoints.ts";
import { webhookMessages } from "./webhook-messages.ts";
import type { WebhookMessages } from "./webhook-messages.ts";
import { webhookSecret } from "./webhook-secret.ts";
import type { DefaultWebhookSecret } from "./webhook-secret.ts";
import { workers } from "./workers.ts";
import type { Workers } from "./workers.ts";

export type { ClientOptions } from "./transport.ts";
export { TreslineError } from "./tresline-error.ts";
export { verifyWebhook } from "./verify-webhook.ts";
export type { ApiKey } from "../../shared/contracts/api-key.ts";
export type { Batch, BatchResult } from "../../shared/contracts/batch.ts";
export type { Classification } from "../../shared/contracts/classification.ts";
export type { Labeler, Run } from "../../shared/contracts/labeler.ts";
export type { Model } from "../../shared/contracts/model.ts";
export type { Upload } from "../../shared/contracts/upload.ts";
export type { DeadLetter, QueueJob, WorkQueue } from "../../shared/contracts/queue.ts";
export type { ImageInput } from "../../shared/contracts/image.ts";
export type { WebhookAttempt, WebhookEndpoint, WebhookMessage } from "../../shared/contracts/webhook.ts";
export type { WebhookEvent } from "../../shared/contracts/webhook-event.ts";
export type { Worker } from "../../shared/contracts/worker.ts";

/** A running Tresline, for programs: what it takes and answers is spelled as in its contract. */
export interface Client {
  classifications: Classifications;
  batches: Batches;
  labelers: Labelers;
  uploads: Uploads;
  models: Models;
  webhookEndpoints: WebhookEndpoints;
  webhookMessages: WebhookMessages;
  webhookSecret: DefaultWebhookSecret;
  apiKeys: ApiKeys;
  workers: Workers;
  queues: Queues;
}

/** A client of the service at `url`. It holds no connection of its own: it need not be closed. */
export function createClient(options: ClientOptions): Client {
  const transport = openTransport(options);
  return {
    classifications: classifications(transport),
    batches: batches(transport),
    labelers: labelers(transport),
    uploads: uploads(transport),
    models: models(transport),
    webhookEndpoints: webhookEndpoints(transport),
    webhookMessages: webhookMessages(transport),
    webhookSecret: webhookSecret(transport),
    apiKeys: apiKeys(transport),
    workers: workers(transport),
    queues: queues(transport),
  };
}
