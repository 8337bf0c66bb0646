import * as z from "zod";
import { LabelerRecord } from "../contracts/labeler.ts";
import type { Labeler } from "../contracts/labeler.ts";
import { redisKeys } from "../keys.ts";
import type { RedisClient } from "../redis.ts";
import { pageOfIds } from "./id-list.ts";
import type { PageOf, Place } from "./id-list.ts";

/** The most labelers a tenant may have: an event looks at all of its bucket. */
export const MAX_LABELERS = 100;

const count = z.coerce.number().default(0);

/** The Redis hash of a labeler. It has no time to live: a labeler is there until it is deleted. */
const LabelerHash = z.object({
  record: z.string().transform((text) => LabelerRecord.parse(JSON.parse(text))),
  status: z.enum(["active", "paused"]),
  labelled: count,
  failed: count,
  skipped: count,
  missed: count,
  unseen: count,
  runs: count,
  paused_at: z.iso.datetime().nullable().default(null),
});

/** A labeler as Redis has it: the resource, and what routes need besides. */
export interface LabelerState {
  labeler: Labeler;
  record: LabelerRecord;
  /** How many of the events that were missed no run looks for yet. */
  unseen: number;
  /** How many runs it has started so far. */
  runs: number;
}

/** What may become of an object that an event told an active labeler of; each has a counter of this name. */
export type ObjectOutcome = "labelled" | "failed" | "skipped";

/**
 * KEYS[1] the labeler (hash)   KEYS[2] the tenant's labelers (sorted set, all of score 0)   KEYS[3] those of the bucket (set)
 * ARGV[1] its id   ARGV[2] its record (JSON)   ARGV[3] how many a tenant may have
 * Answers 1, or 0 when the tenant has that many already. One that there is already is left as it is.
 */
const PUT = `
if redis.call("EXISTS", KEYS[1]) == 1 then return 1 end
if redis.call("ZCARD", KEYS[2]) >= tonumber(ARGV[3]) then return 0 end
redis.call("HSET", KEYS[1], "record", ARGV[2], "status", "active")
redis.call("ZADD", KEYS[2], 0, ARGV[1])
redis.call("SADD", KEYS[3], ARGV[1])
return 1`;

const keysOf = ({ id, tenant, bucket }: Pick<LabelerRecord, "id" | "tenant" | "bucket">) => [
  redisKeys.labeler(id),
  redisKeys.labelersOfTenant(tenant),
  redisKeys.labelersOfBucket(bucket),
];

/** Writes a new labeler, which is active. False when its tenant has as many as it may. */
export async function putLabeler(redis: RedisClient, record: LabelerRecord): Promise<boolean> {
  const args = [record.id, JSON.stringify(record), MAX_LABELERS];
  return (await redis.eval(PUT, 3, ...keysOf(record), ...args)) === 1;
}

/** The tenant's labeler of this id; undefined when there is none, or when it is another's. */
export async function getLabelerState(
  redis: RedisClient,
  tenant: string,
  id: string,
): Promise<LabelerState | undefined> {
  const state = toState(await redis.hgetall(redisKeys.labeler(id)));
  return state?.record.tenant === tenant ? state : undefined;
}

/** A page of a tenant's labelers, the newest first. */
export async function listLabelers(
  redis: RedisClient,
  tenant: string,
  place: Place,
): Promise<PageOf<LabelerState>> {
  const { data, next } = await pageOfIds(redis, redisKeys.labelersOfTenant(tenant), place);
  return { data: await readAll(redis, data), next };
}

/** The labelers of a bucket, whosever they are. */
export async function labelersOfBucket(redis: RedisClient, bucket: string): Promise<LabelerState[]> {
  return readAll(redis, await redis.smembers(redisKeys.labelersOfBucket(bucket)));
}

/**
 * KEYS[1] the labeler (hash)   ARGV[1] when (RFC 3339)
 * A labeler that is paused already keeps its time, and one that is deleted stays so.
 */
const PAUSE = `
if redis.call("HGET", KEYS[1], "status") ~= "active" then return end
redis.call("HSET", KEYS[1], "status", "paused", "paused_at", ARGV[1])`;

/** Pauses a labeler: from now on it misses what events tell of, and its runs wait. */
export async function pause(redis: RedisClient, id: string): Promise<void> {
  await redis.eval(PAUSE, 1, redisKeys.labeler(id), new Date().toISOString());
}

/** KEYS[1] the labeler (hash)   A labeler that is deleted stays so. */
const ACTIVATE = `
if redis.call("EXISTS", KEYS[1]) == 0 then return end
redis.call("HSET", KEYS[1], "status", "active")
redis.call("HDEL", KEYS[1], "paused_at")`;

/** Ends a pause. What was missed stays noted as unseen until a run is started that looks for it. */
export async function activate(redis: RedisClient, id: string): Promise<void> {
  await redis.eval(ACTIVATE, 1, redisKeys.labeler(id));
}

/**
 * KEYS[1] the labeler (hash)   KEYS[2] the tenant's labelers   KEYS[3] those of the bucket   KEYS[4] its runs (sorted set)
 * ARGV[1] its id
 * Answers the ids of its newest 20 runs.
 */
const FORGET = `
local runs = redis.call("ZREVRANGE", KEYS[4], 0, 19)
redis.call("ZREM", KEYS[2], ARGV[1])
redis.call("SREM", KEYS[3], ARGV[1])
redis.call("DEL", KEYS[1], KEYS[4])
return runs`;

/** Forgets a labeler and the list of its runs, and tells the ids of the newest, which are not ended by that. */
export async function forgetLabeler(redis: RedisClient, record: LabelerRecord): Promise<string[]> {
  const keys = [...keysOf(record), redisKeys.labelerRuns(record.id)];
  return (await redis.eval(FORGET, keys.length, ...keys, record.id)) as string[];
}

/** Whether a labeler's work has to wait; a deleted one counts as paused. */
export async function isPaused(redis: RedisClient, labelerId: string): Promise<boolean> {
  return (await redis.hget(redisKeys.labeler(labelerId), "status")) !== "active";
}

/**
 * KEYS[1] the labeler (hash)   ARGV[1] how many
 * Answers the labeler's status, and counts only when it is "paused"; nil when it is deleted.
 */
const COUNT_MISSED = `
local status = redis.call("HGET", KEYS[1], "status")
if status == "paused" then
  redis.call("HINCRBY", KEYS[1], "missed", ARGV[1])
  redis.call("HINCRBY", KEYS[1], "unseen", ARGV[1])
end
return status`;

/**
 * Counts objects that a labeler misses since it is paused, in one step with finding that it is: whatever was counted,
 * a run that starts after the pause finds. False when it is active and has to have them.
 */
export async function countMissed(redis: RedisClient, labelerId: string, objects: number): Promise<boolean> {
  return (await redis.eval(COUNT_MISSED, 1, redisKeys.labeler(labelerId), objects)) !== "active";
}

async function readAll(redis: RedisClient, ids: readonly string[]): Promise<LabelerState[]> {
  const hashes = await Promise.all(ids.map((id) => redis.hgetall(redisKeys.labeler(id))));
  return hashes.flatMap((fields) => toState(fields) ?? []);
}

function toState(fields: Record<string, string>): LabelerState | undefined {
  if (Object.keys(fields).length === 0) return undefined;
  const { record, status, unseen, runs, paused_at, ...counts } = LabelerHash.parse(fields);
  const { tenant: _tenant, webhook: _webhook, url, ...shown } = record;
  const { labelled, failed, skipped, missed } = counts;
  const labeler: Labeler = {
    ...shown,
    object: "labeler",
    status,
    event_counts: { labelled, failed, skipped, missed },
    paused_at,
    urls: { get: url, runs: `${url}/runs` },
  };
  return { labeler, record, unseen, runs };
}
