import type { ItemStatus } from "../contracts/batch.ts";
import { redisKeys } from "../keys.ts";
import type { RedisClient } from "../redis.ts";

/**
 * KEYS[1] the batch (hash)   KEYS[2] the numbers of its finished chunks (set)
 * ARGV[1] the chunk's number   ARGV[2], ARGV[3] … a status and how many of its items ended so, in pairs
 * Answers 1 when all chunks of the batch are finished, else 0, as while it is not known how many there are.
 * A chunk counts once, however often it is told.
 */
const COUNT_CHUNK = `
if redis.call("EXISTS", KEYS[1]) == 0 then return 0 end
if redis.call("SADD", KEYS[2], ARGV[1]) == 1 then
  for i = 2, #ARGV, 2 do redis.call("HINCRBY", KEYS[1], ARGV[i], ARGV[i + 1]) end
  redis.call("EXPIRE", KEYS[2], redis.call("TTL", KEYS[1]))
end
local chunks = redis.call("HGET", KEYS[1], "chunks")
if chunks and redis.call("SCARD", KEYS[2]) == tonumber(chunks) then return 1 end
return 0`;

/** Adds a finished chunk to its batch's counters, once. True when it was the last one missing, and whenever it is told again after that. */
export async function countChunk(
  redis: RedisClient,
  batchId: string,
  chunk: { number: number; counts: Partial<Record<ItemStatus, number>> },
): Promise<boolean> {
  const keys = [redisKeys.batch(batchId), redisKeys.batchChunks(batchId)];
  const answer = await redis.eval(
    COUNT_CHUNK,
    keys.length,
    ...keys,
    chunk.number,
    ...Object.entries(chunk.counts).flat(),
  );
  return answer === 1;
}

/**
 * KEYS[1] the batch (hash)   KEYS[2] the numbers of its finished chunks (set)   ARGV[1] how many chunks it has
 * Answers 1 when all of them are finished already, else 0.
 */
const SEAL_CHUNKS = `
if redis.call("EXISTS", KEYS[1]) == 0 then return 0 end
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
