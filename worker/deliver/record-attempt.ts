import type { DeliverPayload } from "../../shared/contracts/queue-payloads.ts";
import type { WebhookAttempt } from "../../shared/contracts/webhook.ts";
import type { Logger } from "../../shared/logger.ts";
import type { RedisClient } from "../../shared/redis.ts";
import { noteGone } from "../../shared/state/gone-urls.ts";
import { logAttempt } from "../../shared/state/webhook-attempts.ts";
import { disableEndpoint, noteDelivery, noteFailure } from "../../shared/state/webhook-endpoints.ts";
import { endMessage } from "../../shared/state/webhook-messages.ts";
import type { EndedMessage } from "../../shared/state/webhook-messages.ts";
import type { WorkerMetrics } from "../metrics.ts";
import type { MadeAttempt } from "./make-attempt.ts";
import { MAX_ATTEMPTS } from "./schedule.ts";

/** An endpoint is disabled after this long without a single delivery, in milliseconds. */
const PATIENCE_MS = 5 * 86_400_000;

/** What records are written with. */
export interface RecordDeps {
  redis: RedisClient;
  logger: Logger;
  metrics: WorkerMetrics;
}

/**
 * Writes down how attempt `number` ended: in the endpoint's log, in what is known of the endpoint, which may be disabled for
 * it, and, when that was the last attempt, as the message's end. That is written last: until it is, the job is done again.
 */
export async function recordAttempt(
  payload: DeliverPayload,
  number: number,
  { outcome, responseBody, startedAt, durationMs }: MadeAttempt,
  deps: RecordDeps,
): Promise<void> {
  const isDelivered = outcome.kind === "delivered";
  const reason = isDelivered ? null : outcome.reason;
  const status = isDelivered ? "delivered" : "failed";
  await noteInLog(deps.redis, payload, {
    number,
    status,
    response_status: outcome.status ?? null,
    response_body: responseBody,
    reason,
    duration_ms: durationMs,
    attempted_at: new Date(startedAt).toISOString(),
  });
  if ("endpoint_id" in payload) await noteHealth(payload, payload.endpoint_id, outcome, deps);
  else if (outcome.kind === "gone") await noteGone(deps.redis, payload.tenant, payload.url);
  if (outcome.kind === "retry" && number < MAX_ATTEMPTS) return;
  await end({ payload, status, attempts: number, reason, ended_at: new Date().toISOString() }, deps);
}

/** Writes down that a message is not sent, after `attempts` attempts, since its receiver wants none now. */
export async function recordNotSent(
  payload: DeliverPayload,
  { attempts, reason }: { attempts: number; reason: string },
  deps: RecordDeps,
): Promise<void> {
  const now = new Date().toISOString();
  await noteInLog(deps.redis, payload, {
    number: 0,
    status: "not_sent",
    response_status: null,
    response_body: null,
    reason,
    duration_ms: 0,
    attempted_at: now,
  });
  await end({ payload, status: "not_sent", attempts, reason, ended_at: now }, deps);
}

async function noteInLog(
  redis: RedisClient,
  payload: DeliverPayload,
  attempt: Omit<WebhookAttempt, "object" | "message_id" | "type">,
): Promise<void> {
  if (!("endpoint_id" in payload)) return;
  const { message_id, event_type: type, endpoint_id } = payload;
  await logAttempt(redis, endpoint_id, { object: "webhook_attempt", message_id, type, ...attempt });
}

async function noteHealth(
  { tenant }: DeliverPayload,
  id: string,
  outcome: MadeAttempt["outcome"],
  { redis, logger }: RecordDeps,
): Promise<void> {
  if (outcome.kind === "delivered") {
    await noteDelivery(redis, tenant, id);
    return;
  }
  const failingFor = Date.now() - (await noteFailure(redis, tenant, id));
  if (outcome.kind === "retry" && failingFor < PATIENCE_MS) return;
  const reason =
    outcome.kind === "gone"
      ? "The receiver answered 410: it wants no more messages."
      : `Every attempt of the last ${Math.floor(failingFor / 86_400_000)} days failed; of the last one: ${outcome.reason}.`;
  if (await disableEndpoint(redis, tenant, { id, reason }))
    logger.error({ endpoint: id, reason }, "webhook endpoint disabled");
}

async function end(message: EndedMessage, { redis, logger, metrics }: RecordDeps): Promise<void> {
  const forgotten = await endMessage(redis, message);
  metrics.messageEnded(message.status);
  const { message_id: id } = message.payload;
  if (forgotten > 0 && message.status !== "delivered")
    logger.warn({ id, forgotten }, "undelivered messages forgotten to make room");
}
