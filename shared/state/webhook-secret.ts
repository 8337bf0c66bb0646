import { redisKeys } from "../keys.ts";
import type { RedisClient } from "../redis.ts";
import { newWebhookSecret } from "../signature.ts";

/** The tenant's default secret, `whsec_…`, which signs messages to addresses given with a request. Made when it is first asked for. */
export async function getWebhookSecret(redis: RedisClient, tenant: string): Promise<string> {
  const key = redisKeys.webhookSecret(tenant);
  const known = await redis.get(key);
  if (known !== null) return known;
  await redis.set(key, newWebhookSecret(), "NX");
  const secret = await redis.get(key);
  if (secret === null)
    throw new Error(`The webhook secret of ${tenant} vanished while it was made. This is a bug.`);
  return secret;
}
