import { redisKeys } from "../keys.ts";
import type { RedisClient } from "../redis.ts";

/** Seconds after which a suspicion is forgotten: longer than a job waits between its tries. */
const SUSPICION_TTL = 86_400;

/** Notes that an image is now in hand alone, and returns how often it has been so without having been cleared: how many workers have died of it. */
export async function suspect(redis: RedisClient, id: string): Promise<number> {
  const key = redisKeys.suspect(id);
  const times = await redis.incr(key);
  await redis.expire(key, SUSPICION_TTL);
  return times - 1;
}

/** Notes that the worker has survived the image. */
export async function clear(redis: RedisClient, id: string): Promise<void> {
  await redis.del(redisKeys.suspect(id));
}
