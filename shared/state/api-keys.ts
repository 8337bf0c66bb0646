import * as z from "zod";
import { ApiKeyRecord } from "../contracts/api-key.ts";
import type { ApiKey } from "../contracts/api-key.ts";
import { redisKeys } from "../keys.ts";
import type { RedisClient } from "../redis.ts";
import { pageOfIds } from "./id-list.ts";
import type { PageOf, Place } from "./id-list.ts";

/** Seconds that a revoked key is still shown. */
const REVOKED_TTL = 30 * 86_400;

const time = z.iso.datetime().nullable().default(null);

/** The Redis hash of a key. It has no time to live until it is revoked. */
const ApiKeyHash = z.object({
  record: z.string().transform((text) => ApiKeyRecord.parse(JSON.parse(text))),
  last_used_at: time,
  revoked_at: time,
});

/** A key as Redis has it: the resource, and the SHA-256 to compare with. */
export interface ApiKeyState {
  apiKey: ApiKey;
  sha256: string;
}

/** The lists a key stands in: that of its tenant, and that of all. Both are sorted sets of score 0, and so sorted by the ids. */
const listsOf = (tenant: string) => [redisKeys.apiKeysOfTenant(tenant), redisKeys.apiKeys()] as const;

/** Writes a new key. */
export async function putApiKey(redis: RedisClient, record: ApiKeyRecord): Promise<void> {
  const transaction = redis.multi().hset(redisKeys.apiKey(record.id), { record: JSON.stringify(record) });
  for (const list of listsOf(record.tenant)) transaction.zadd(list, 0, record.id);
  await transaction.exec();
}

/** The key of this id, a revoked one too; undefined when there is none. */
export async function getApiKeyState(redis: RedisClient, id: string): Promise<ApiKeyState | undefined> {
  return toState(await redis.hgetall(redisKeys.apiKey(id)));
}

/** Notes that a key was used now. */
export async function noteKeyUse(redis: RedisClient, id: string): Promise<void> {
  await redis.hset(redisKeys.apiKey(id), { last_used_at: new Date().toISOString() });
}

/**
 * A page of keys, the newest first.
 * @param tenant whose keys; undefined for those of all tenants
 */
export async function listApiKeys(
  redis: RedisClient,
  tenant: string | undefined,
  place: Place,
): Promise<PageOf<ApiKey>> {
  const list = tenant === undefined ? redisKeys.apiKeys() : redisKeys.apiKeysOfTenant(tenant);
  const { data: ids, next } = await pageOfIds(redis, list, place);
  const states = await Promise.all(ids.map((id) => getApiKeyState(redis, id)));
  const forgotten = ids.filter((_, index) => states[index] === undefined);
  if (forgotten.length > 0) await redis.zrem(list, ...forgotten);
  return { data: states.flatMap((state) => state?.apiKey ?? []), next };
}

/**
 * KEYS[1] the key (hash)   ARGV[1] now (RFC 3339)   ARGV[2] seconds until it is forgotten
 * A key that is revoked already keeps its time, and one that is forgotten stays so.
 */
const REVOKE = `
if redis.call("EXISTS", KEYS[1]) == 0 then return end
if redis.call("HSETNX", KEYS[1], "revoked_at", ARGV[1]) == 1 then redis.call("EXPIRE", KEYS[1], ARGV[2]) end`;

/** Revokes a key: from now on it is refused. It is shown as revoked for a month. */
export async function revokeApiKey(redis: RedisClient, id: string): Promise<void> {
  await redis.eval(REVOKE, 1, redisKeys.apiKey(id), new Date().toISOString(), REVOKED_TTL);
}

function toState(fields: Record<string, string>): ApiKeyState | undefined {
  if (Object.keys(fields).length === 0) return undefined;
  const { record, last_used_at, revoked_at } = ApiKeyHash.parse(fields);
  const { sha256, ...shown } = record;
  return { apiKey: { ...shown, object: "api_key", last_used_at, revoked_at }, sha256 };
}
