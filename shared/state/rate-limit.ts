import { redisKeys } from "../keys.ts";
import type { RedisClient } from "../redis.ts";

/** Milliseconds of a window; it begins with the first request after the one before. */
export const WINDOW_MS = 60_000;

/**
 * KEYS[1] the requests of a window (string)   ARGV[1] milliseconds of a window
 * Answers how many there are, this one among them, and the milliseconds until the window ends.
 */
const COUNT = `
local requests = redis.call("INCR", KEYS[1])
if requests == 1 then redis.call("PEXPIRE", KEYS[1], ARGV[1]) end
return {requests, redis.call("PTTL", KEYS[1])}`;

/** Counts a request of this key: how many its window has by now, and when that ends, in milliseconds from now. */
export async function countRequest(
  redis: RedisClient,
  keyId: string,
): Promise<{ requests: number; endsInMs: number }> {
  const answer = await redis.eval(COUNT, 1, redisKeys.rateLimit(keyId), WINDOW_MS);
  const [requests, endsInMs] = answer as [number, number];
  return { requests, endsInMs };
}
