import type { DeliverPayload } from "../../shared/contracts/queue-payloads.ts";
import type { Logger } from "../../shared/logger.ts";
import { DELIVER_ATTEMPTS } from "../../shared/queue.ts";
import type { RedisClient } from "../../shared/redis.ts";
import { signWebhook } from "../../shared/signature.ts";
import { getWebhookSecret } from "../../shared/state/webhook-secret.ts";
import type { Attempt } from "../consume.ts";
import type { SafeFetch } from "../net/safe-fetch.ts";
import { outcomeOfAnswer, outcomeOfError } from "./outcome.ts";
import type { AttemptOutcome } from "./outcome.ts";

/** Milliseconds a receiver has to answer. */
const TIMEOUT_MS = 15_000;
/** Of a receiver's answer nothing but its status is used; this many bytes of its body are read so that the connection can serve again. */
const MAX_ANSWER_BYTES = 4_096;

/** An attempt failed and the message is to be tried again, not before `retryAfterS` seconds when the receiver said so. */
export class DeliveryFailed extends Error {
  override readonly name = "DeliveryFailed";
  readonly retryAfterS: number | undefined;

  constructor(reason: string, retryAfterS: number | undefined) {
    super(reason);
    this.retryAfterS = retryAfterS;
  }
}

/** Makes one attempt to deliver a message: signs the body as it is, posts it, judges the answer. Throws DeliveryFailed when it is to be tried again. */
export async function deliverMessage(
  payload: DeliverPayload,
  { number }: Attempt,
  deps: { redis: RedisClient; safeFetch: SafeFetch; logger: Logger },
): Promise<void> {
  const began = performance.now();
  const outcome = await attempt(payload, deps);
  const line = {
    message: payload.message_id,
    event: payload.event_type,
    host: new URL(payload.url).host,
    attempt: number,
    ms: Math.round(performance.now() - began),
    ...outcome,
  };
  if (outcome.kind === "delivered") deps.logger.info(line, "webhook delivered");
  else if (outcome.kind === "gone") deps.logger.error(line, "webhook dropped");
  else if (number >= DELIVER_ATTEMPTS) deps.logger.error(line, "webhook given up");
  else deps.logger.warn(line, "webhook attempt failed");
  if (outcome.kind === "retry") throw new DeliveryFailed(outcome.reason, outcome.retryAfterS);
}

async function attempt(
  { message_id: messageId, tenant, url, body }: DeliverPayload,
  { redis, safeFetch }: { redis: RedisClient; safeFetch: SafeFetch },
): Promise<AttemptOutcome> {
  const timestamp = Math.floor(Date.now() / 1000);
  const secret = await getWebhookSecret(redis, tenant);
  const headers = {
    "content-type": "application/json",
    "user-agent": "Tresline-Webhooks/1",
    "webhook-id": messageId,
    "webhook-timestamp": String(timestamp),
    "webhook-signature": await signWebhook(secret, { messageId, timestamp, body }),
  };
  try {
    const answer = await safeFetch.fetch(url, {
      method: "POST",
      headers,
      body,
      timeoutMs: TIMEOUT_MS,
      maxBytes: MAX_ANSWER_BYTES,
      whenTooLarge: "truncate",
      maxRedirects: 0,
    });
    return outcomeOfAnswer(answer.status, answer.headers["retry-after"]);
  } catch (error) {
    return outcomeOfError(error);
  }
}
