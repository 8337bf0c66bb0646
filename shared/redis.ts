import { Redis } from "ioredis";

/** A connection to Redis. */
export type RedisClient = Redis;

/** How a connection behaves while Redis is away: a worker waits for it, a request is answered with an error at once. */
export type RedisPatience = "wait" | "fail-fast";

/** Milliseconds that a request waits for Redis to answer one command. */
const ANSWER_TIMEOUT_MS = 5_000;

/**
 * Opens a connection; it connects in the background and reconnects for ever.
 * @param url `redis://[user:password@]host:port[/db]` or `rediss://…`
 * @param onError called for each connection error, so that none goes unheard
 */
export function openRedis(
  url: string,
  patience: RedisPatience,
  onError: (error: Error) => void,
): RedisClient {
  const redis = new Redis(url, {
    maxRetriesPerRequest: patience === "wait" ? null : 1,
    enableAutoPipelining: true,
    ...(patience === "fail-fast" && { commandTimeout: ANSWER_TIMEOUT_MS }),
    connectTimeout: 5_000,
    retryStrategy: (attempt) => Math.min(attempt * 100, 2_000),
  });
  redis.on("error", onError);
  return redis;
}

/** What is wrong with how this Redis is set up for keeping accepted work: a sentence each, none when all is well. */
export async function redisFaults(redis: RedisClient): Promise<string[]> {
  const memory = await redis.info("memory");
  const persistence = await redis.info("persistence");
  const faults: string[] = [];
  const policy = /^maxmemory_policy:(\S+)/m.exec(memory)?.[1];
  if (policy !== undefined && policy !== "noeviction")
    faults.push(`Redis may drop accepted work: its maxmemory-policy is ${policy}; set it to noeviction.`);
  if (!/^aof_enabled:1/m.test(persistence))
    faults.push(
      "Redis forgets accepted work when it restarts: switch its append-only file on (appendonly yes).",
    );
  return faults;
}
