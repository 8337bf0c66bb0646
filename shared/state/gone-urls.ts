import { redisKeys } from "../keys.ts";
import type { RedisClient } from "../redis.ts";

/** Seconds that a 410 is remembered: longer than any message of before is tried. */
const GONE_TTL = 14 * 86_400;

/** Notes that an address given with a request answered 410 now: it wants no more of the messages there are. */
export async function noteGone(redis: RedisClient, tenant: string, url: string): Promise<void> {
  await redis.set(redisKeys.goneUrl(tenant, url), new Date().toISOString(), "EX", GONE_TTL);
}

/** When an address answered 410 last, RFC 3339, or undefined. Messages that were made before are dropped; whoever names it again is heard. */
export async function goneSince(
  redis: RedisClient,
  tenant: string,
  url: string,
): Promise<string | undefined> {
  return (await redis.get(redisKeys.goneUrl(tenant, url))) ?? undefined;
}
