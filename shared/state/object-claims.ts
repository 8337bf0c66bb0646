import { redisKeys } from "../keys.ts";
import type { RedisClient } from "../redis.ts";
import type { ObjectOutcome } from "./labelers.ts";

/** Milliseconds that a claim holds: longer than any try takes, and than a job waits for its next one, even on another worker. */
const CLAIM_TTL_MS = 300_000;

/** An object of a labeler, by the hash of its bucket and key, and the job or the item that works on it. */
export interface ObjectClaim {
  labelerId: string;
  object: string;
  id: string;
}

/** Whose an object is: ours from now on, another's, or nobody's since an earlier try of this very job has ended it. */
export type ClaimAnswer = "ours" | "taken" | "ended";

/**
 * KEYS[1] the claim (string: the id of its holder, or "ended " and the id of who was)
 * ARGV[1] who claims   ARGV[2] for how many milliseconds   ARGV[3] "1" when it was tried before
 */
const CLAIM = `
local holder = redis.call("GET", KEYS[1])
if ARGV[3] == "1" and holder == "ended " .. ARGV[1] then return "ended" end
if holder and holder ~= ARGV[1] and string.sub(holder, 1, 6) ~= "ended " then return "taken" end
redis.call("SET", KEYS[1], ARGV[1], "PX", ARGV[2])
return "ours"`;

/** Claims an object, so that no two label it at once. A claim outlives whoever died with it, for the tries after. */
export async function claimObject(
  redis: RedisClient,
  claim: ObjectClaim,
  { isRepeated }: { isRepeated: boolean },
): Promise<ClaimAnswer> {
  const args = [claim.id, CLAIM_TTL_MS, isRepeated ? "1" : "0"];
  return (await redis.eval(CLAIM, 1, keyOf(claim), ...args)) as ClaimAnswer;
}

/** KEYS[1] the claim   ARGV[1] its holder   Of another's claim nothing is done. */
const RELEASE = `
if redis.call("GET", KEYS[1]) == ARGV[1] then redis.call("DEL", KEYS[1]) end`;

/** Lets go of an object. */
export async function releaseObject(redis: RedisClient, claim: ObjectClaim): Promise<void> {
  await redis.eval(RELEASE, 1, keyOf(claim), claim.id);
}

/**
 * KEYS[1] the claim   KEYS[2] the labeler (hash)
 * ARGV[1] the holder   ARGV[2] the counter   ARGV[3] for how many milliseconds it is remembered that this was counted
 * Nothing is done for who does not hold the claim, and nothing counted of a labeler that is deleted.
 */
const RELEASE_AND_COUNT = `
if redis.call("GET", KEYS[1]) ~= ARGV[1] then return end
redis.call("SET", KEYS[1], "ended " .. ARGV[1], "PX", ARGV[3])
if redis.call("EXISTS", KEYS[2]) == 1 then redis.call("HINCRBY", KEYS[2], ARGV[2], 1) end`;

/** Lets go of an object and counts what became of it in the same step: a worker that is killed after it does not count twice. */
export async function releaseAndCount(
  redis: RedisClient,
  claim: ObjectClaim,
  outcome: ObjectOutcome,
): Promise<void> {
  const keys = [keyOf(claim), redisKeys.labeler(claim.labelerId)];
  await redis.eval(RELEASE_AND_COUNT, keys.length, ...keys, claim.id, outcome, CLAIM_TTL_MS);
}

const keyOf = ({ labelerId, object }: ObjectClaim) => redisKeys.objectClaim(labelerId, object);
