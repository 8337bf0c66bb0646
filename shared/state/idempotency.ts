import { KeptRequest } from "../contracts/idempotency.ts";
import type { KeptAnswer } from "../contracts/idempotency.ts";
import { redisKeys } from "../keys.ts";
import { newUlid } from "../new-id.ts";
import type { RedisClient } from "../redis.ts";

/** Milliseconds that a request is held by whoever works on it, unless they hold on: what a server that died blocks it for. */
export const HOLD_MS = 15_000;
/** Milliseconds that an answer is kept. */
const KEPT_MS = 24 * 3_600_000;

/** A request as a client has named it. `fingerprint` is of all that it asks for. */
export interface NamedRequest {
  tenant: string;
  key: string;
  fingerprint: string;
}

/** A request that is ours to work on, and the very text in Redis that says so. */
export interface Hold {
  redisKey: string;
  fingerprint: string;
  text: string;
  /** Where it is kept what the request makes, and the ULID that all ids of that are made of. */
  idKey: string;
  ulid: string;
}

/** How it stands with a request: ours to work on from now, in hand elsewhere, answered, or one whose name another request has. */
export type Claim =
  | { is: "ours"; hold: Hold }
  | { is: "in_hand" }
  | { is: "answered"; answer: KeptAnswer }
  | { is: "another" };

/**
 * KEYS[1] the request (string)   KEYS[2] what it makes (string: fingerprint, space, ULID)
 * ARGV[1] what holds it for us (JSON)   ARGV[2] for how many milliseconds
 * ARGV[3] its fingerprint and a space   ARGV[4] a new ULID   ARGV[5] for how many milliseconds that is kept
 * Answers what is kept of it already, or when it is ours now nil and what it makes: the same as at an earlier try of it.
 */
const CLAIM = `
local kept = redis.call("GET", KEYS[1])
if kept then return {kept} end
redis.call("SET", KEYS[1], ARGV[1], "PX", ARGV[2])
local made = redis.call("GET", KEYS[2])
if not made or string.sub(made, 1, #ARGV[3]) ~= ARGV[3] then
  made = ARGV[3] .. ARGV[4]
  redis.call("SET", KEYS[2], made, "PX", ARGV[5])
end
return {false, string.sub(made, #ARGV[3] + 1)}`;

/**
 * Claims a request, in one step with finding out that nobody else has. Whoever claims it after a server that died with it, or
 * failed, is told what that server may have made, and makes the same.
 */
export async function claimRequest(redis: RedisClient, request: NamedRequest): Promise<Claim> {
  const { tenant, key, fingerprint } = request;
  const redisKey = redisKeys.idempotency(tenant, key);
  const ours: KeptRequest = { fingerprint, holder: crypto.randomUUID() };
  const text = JSON.stringify(ours);
  const idKey = redisKeys.idempotencyId(tenant, key);
  const args = [text, HOLD_MS, `${fingerprint} `, newUlid(), KEPT_MS];
  const [found, ulid] = (await redis.eval(CLAIM, 2, redisKey, idKey, ...args)) as [string | null, string?];
  if (ulid !== undefined) return { is: "ours", hold: { redisKey, fingerprint, text, idKey, ulid } };
  if (found === null) throw new Error("A claim is neither ours nor another's. This is a bug.");
  const kept = KeptRequest.parse(JSON.parse(found));
  if (kept.fingerprint !== fingerprint) return { is: "another" };
  return "answer" in kept ? { is: "answered", answer: kept.answer } : { is: "in_hand" };
}

/**
 * KEYS[1] the request (string)   ARGV[1] what holds it for us   ARGV[2] what to keep instead, "" for nothing
 * ARGV[3] for how many milliseconds
 * Of a request that others hold by now nothing is changed.
 */
const REPLACE = `
if redis.call("GET", KEYS[1]) ~= ARGV[1] then return end
if ARGV[2] == "" then redis.call("DEL", KEYS[1]) else redis.call("SET", KEYS[1], ARGV[2], "PX", ARGV[3]) end`;

const replace = async (redis: RedisClient, { redisKey, text }: Hold, by: string, ms: number) => {
  await redis.eval(REPLACE, 1, redisKey, text, by, ms);
};

/** Holds on to a request that takes longer. */
export const holdOn = (redis: RedisClient, hold: Hold): Promise<void> =>
  replace(redis, hold, hold.text, HOLD_MS);

/** Lets go of a request that failed: it may be sent again, and makes then what it may have made already. */
export const letGo = (redis: RedisClient, hold: Hold): Promise<void> => replace(redis, hold, "", 0);

/** Lets go of a request that was refused, and made nothing, as if it had never been sent. */
export async function forgetRequest(redis: RedisClient, hold: Hold): Promise<void> {
  await redis.del(hold.idKey);
  await letGo(redis, hold);
}

/** Keeps the answer to a request for a day. */
export async function keepAnswer(redis: RedisClient, hold: Hold, answer: KeptAnswer): Promise<void> {
  const kept: KeptRequest = { fingerprint: hold.fingerprint, answer };
  await replace(redis, hold, JSON.stringify(kept), KEPT_MS);
}
