import type { ItemStatus } from "../contracts/batch.ts";
import { redisKeys } from "../keys.ts";
import type { RedisClient } from "../redis.ts";
import { MOVING_TTL } from "./batches.ts";

/** Milliseconds between two messages about a batch's progress, at least. */
const PROGRESS_EVERY_MS = 5_000;

/**
 * KEYS[1] the batch (hash)   KEYS[2] the numbers of its finished chunks (set)
 * ARGV[1] the chunk's number   ARGV[2] seconds until both are forgotten   ARGV[3] now, in milliseconds since 1970
 * ARGV[4] milliseconds between two tellings of progress   ARGV[5], ARGV[6] … a status and how many of its items ended so, in pairs
 * Answers 1 when all chunks of the batch are finished, else 0, as while it is not known how many there are; and, when it is
 * for this chunk to tell of progress, the time to tell.
 * A chunk counts once, however often it is told, and in a batch that fails none does.
 */
const COUNT_CHUNK = `
local status, failing, chunks, tells, teller, told_at =
  unpack(redis.call("HMGET", KEYS[1], "status", "error", "chunks", "tells_progress", "progress_chunk", "progress_at"))
if not status or failing then return {0} end
local is_new = redis.call("SADD", KEYS[2], ARGV[1]) == 1
if is_new then
  for i = 5, #ARGV, 2 do redis.call("HINCRBY", KEYS[1], ARGV[i], ARGV[i + 1]) end
  redis.call("EXPIRE", KEYS[1], ARGV[2])
  redis.call("EXPIRE", KEYS[2], ARGV[2])
end
if chunks and redis.call("SCARD", KEYS[2]) == tonumber(chunks) then return {1} end
if not tells or status ~= "in_progress" then return {0} end
if teller == ARGV[1] then return {0, told_at} end
if not is_new or (told_at and ARGV[3] - told_at < tonumber(ARGV[4])) then return {0} end
redis.call("HSET", KEYS[1], "progress_chunk", ARGV[1], "progress_at", ARGV[3])
return {0, ARGV[3]}`;

/** What follows from a finished chunk. */
export interface Counted {
  /** Whether it was the last one missing; also whenever it is told again after that. */
  isLast: boolean;
  /** When it is for this chunk to tell of the batch's progress: the time of that (RFC 3339), the same when it is asked again. */
  progressAt: string | undefined;
}

/** Adds a finished chunk to its batch's counters, once. */
export async function countChunk(
  redis: RedisClient,
  batchId: string,
  chunk: { number: number; counts: Partial<Record<ItemStatus, number>> },
): Promise<Counted> {
  const keys = [redisKeys.batch(batchId), redisKeys.batchChunks(batchId)];
  const answer = await redis.eval(
    COUNT_CHUNK,
    keys.length,
    ...keys,
    chunk.number,
    MOVING_TTL,
    Date.now(),
    PROGRESS_EVERY_MS,
    ...Object.entries(chunk.counts).flat(),
  );
  const [isLast, at] = answer as [0 | 1, string?];
  return {
    isLast: isLast === 1,
    progressAt: at === undefined ? undefined : new Date(Number(at)).toISOString(),
  };
}

/**
 * KEYS[1] the batch (hash)   KEYS[2] the numbers of its finished chunks (set)   ARGV[1] how many chunks it has
 * Answers 1 when all of them are finished already, else 0. The number stays that was noted first; a batch that fails has none.
 */
const SEAL_CHUNKS = `
if redis.call("EXISTS", KEYS[1]) == 0 or redis.call("HEXISTS", KEYS[1], "error") == 1 then return 0 end
redis.call("HSETNX", KEYS[1], "chunks", ARGV[1])
if redis.call("SCARD", KEYS[2]) == tonumber(redis.call("HGET", KEYS[1], "chunks")) then return 1 end
return 0`;

/**
 * Notes how many chunks a batch has, once its source has been listed to the end: until then no chunk is its last. True
 * when all of them are finished already, and it is for the caller to call for the batch's end.
 */
export async function sealChunks(redis: RedisClient, batchId: string, chunks: number): Promise<boolean> {
  const keys = [redisKeys.batch(batchId), redisKeys.batchChunks(batchId)];
  return (await redis.eval(SEAL_CHUNKS, keys.length, ...keys, chunks)) === 1;
}
