import { WebhookAttempt } from "../contracts/webhook.ts";
import { redisKeys } from "../keys.ts";
import type { RedisClient } from "../redis.ts";

/** The most attempts an endpoint's log holds, and the seconds that it is kept after the last one. */
const MAX_ATTEMPTS = 500;
const LOG_TTL = 30 * 86_400;

/** Adds a line to an endpoint's log, of which the oldest lines go. */
export async function logAttempt(
  redis: RedisClient,
  endpointId: string,
  attempt: WebhookAttempt,
): Promise<void> {
  const key = redisKeys.webhookAttempts(endpointId);
  await redis
    .multi()
    .xadd(key, "MAXLEN", MAX_ATTEMPTS, "*", "attempt", JSON.stringify(attempt))
    .expire(key, LOG_TTL)
    .exec();
}

/** Lines of an endpoint's log, the latest first: those before the line `before`, and its own id with each. */
export async function listAttempts(
  redis: RedisClient,
  endpointId: string,
  { limit, before }: { limit: number; before: string | undefined },
): Promise<{ id: string; attempt: WebhookAttempt }[]> {
  const end = before === undefined ? "+" : `(${before}`;
  const lines = await redis.xrevrange(redisKeys.webhookAttempts(endpointId), end, "-", "COUNT", limit);
  return lines.map(([id, [, text = ""]]) => ({ id, attempt: WebhookAttempt.parse(JSON.parse(text)) }));
}
