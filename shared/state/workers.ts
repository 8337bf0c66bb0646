import { AnnouncedWorker } from "../contracts/worker.ts";
import { redisKeys } from "../keys.ts";
import type { RedisClient } from "../redis.ts";

/** Milliseconds between two announcements of a worker. */
export const ANNOUNCE_WORKER_EVERY_MS = 5_000;
/** Seconds after its last announcement for which a worker counts as alive: as long as until its jobs are taken over. */
const ALIVE_S = 20;

/**
 * KEYS[1] the worker (string)   KEYS[2] all ids (sorted set: by the second, of Redis's clock, in which they were last heard of)
 * ARGV[1] its id   ARGV[2] the worker (JSON)   ARGV[3] seconds for which it counts as alive
 */
const ANNOUNCE = `
local now = redis.call("TIME")[1]
redis.call("SET", KEYS[1], ARGV[2], "EX", ARGV[3])
redis.call("ZADD", KEYS[2], now, ARGV[1])
redis.call("ZREMRANGEBYSCORE", KEYS[2], "-inf", now - ARGV[3] - 1)
redis.call("EXPIRE", KEYS[2], ARGV[3])`;

/** Tells that a worker is alive and what it does. It is forgotten twenty seconds after the last time. */
export async function announceWorker(redis: RedisClient, worker: AnnouncedWorker): Promise<void> {
  const keys = [redisKeys.worker(worker.id), redisKeys.workers()];
  await redis.eval(ANNOUNCE, keys.length, ...keys, worker.id, JSON.stringify(worker), ALIVE_S);
}

/** Forgets a worker that has stopped. */
export async function forgetWorker(redis: RedisClient, id: string): Promise<void> {
  await redis.multi().del(redisKeys.worker(id)).zrem(redisKeys.workers(), id).exec();
}

/** The workers that are alive: by their host, then the longest running first. */
export async function aliveWorkers(redis: RedisClient): Promise<AnnouncedWorker[]> {
  const ids = await redis.zrange(redisKeys.workers(), "0", "-1");
  if (ids.length === 0) return [];
  const found = await redis.mget(ids.map((id) => redisKeys.worker(id)));
  return found
    .flatMap((text) => (text === null ? [] : AnnouncedWorker.parse(JSON.parse(text))))
    .toSorted((a, b) => a.host.localeCompare(b.host) || a.id.localeCompare(b.id));
}
