import { redisKeys } from "../keys.ts";
import type { RedisClient } from "../redis.ts";
import { newWebhookSecret } from "../signature.ts";

/** The most secrets that sign beside the newest one; rotating more often ends the oldest early. */
const MAX_OLD = 4;

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

/** The secrets that sign messages of a tenant or an endpoint now: the newest, if there is one, and those whose overlap has not ended. */
export async function getSigningSecrets(redis: RedisClient, owner: string): Promise<string[]> {
  const [newest, old] = await Promise.all([
    redis.get(redisKeys.webhookSecret(owner)),
    getOldSecrets(redis, owner),
  ]);
  return newest === null ? [] : [newest, ...old.map(({ secret }) => secret)];
}

/** A secret that was rotated away, and when its overlap ends, in milliseconds since 1970. */
export interface OldSecret {
  secret: string;
  signsUntil: number;
}

/** The secrets before the newest one of a tenant or an endpoint that sign beside it still, the latest first. */
export async function getOldSecrets(redis: RedisClient, owner: string): Promise<OldSecret[]> {
  const key = redisKeys.oldWebhookSecrets(owner);
  const row = await redis.zrange(key, "+inf", `(${Date.now()}`, "BYSCORE", "REV", "WITHSCORES");
  return row.flatMap((secret, i) =>
    i % 2 === 0 ? [{ secret, signsUntil: Number(row[i + 1] ?? Number.NaN) }] : [],
  );
}

/**
 * KEYS[1] the secret (string)   KEYS[2] those before it (zset: by the end of their overlap)
 * ARGV[1] the new secret   ARGV[2] now   ARGV[3] the end of the overlap, both in ms   ARGV[4] how many old ones are kept
 */
const ROTATE = `
local before = redis.call("GET", KEYS[1])
redis.call("SET", KEYS[1], ARGV[1])
if before and tonumber(ARGV[3]) > tonumber(ARGV[2]) then redis.call("ZADD", KEYS[2], ARGV[3], before) end
if ARGV[3] == ARGV[2] then redis.call("DEL", KEYS[2]) end
redis.call("ZREMRANGEBYSCORE", KEYS[2], "-inf", ARGV[2])
redis.call("ZREMRANGEBYRANK", KEYS[2], 0, -1 - tonumber(ARGV[4]))
local last = redis.call("ZRANGE", KEYS[2], -1, -1, "WITHSCORES")[2]
if last then redis.call("PEXPIREAT", KEYS[2], last) end`;

/** Replaces the secret of a tenant or an endpoint. The one before signs too for `overlapMs`; with 0 it and all before it end at once. */
export async function rotateSecret(
  redis: RedisClient,
  owner: string,
  { secret, overlapMs }: { secret: string; overlapMs: number },
): Promise<void> {
  const keys = [redisKeys.webhookSecret(owner), redisKeys.oldWebhookSecrets(owner)];
  const now = Date.now();
  await redis.eval(ROTATE, keys.length, ...keys, secret, now, now + overlapMs, MAX_OLD);
}
