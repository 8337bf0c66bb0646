import { redisKeys } from "../keys.ts";
import type { RedisClient } from "../redis.ts";

/**
 * KEYS[1] the batch (hash)   KEYS[2] the numbers of its finished chunks (set)
 * ARGV[1] the chunk's number   ARGV[2] items of it that succeeded   ARGV[3] items of it that failed
 * Answers 1 when all chunks of the batch are finished, else 0. A chunk counts once, however often it is told.
 */
const COUNT_CHUNK = `
if redis.call("EXISTS", KEYS[1]) == 0 then return 0 end
if redis.call("SADD", KEYS[2], ARGV[1]) == 1 then
  redis.call("HINCRBY", KEYS[1], "succeeded", ARGV[2])
  redis.call("HINCRBY", KEYS[1], "failed", ARGV[3])
  redis.call("EXPIRE", KEYS[2], redis.call("TTL", KEYS[1]))
end
local chunks = tonumber(redis.call("HGET", KEYS[1], "chunks"))
if redis.call("SCARD", KEYS[2]) == chunks then return 1 end
return 0`;

/** Adds a finished chunk to its batch's counters, once. True when it was the last one missing, and whenever it is told again after that. */
export async function countChunk(
  redis: RedisClient,
  batchId: string,
  chunk: { number: number; succeeded: number; failed: number },
): Promise<boolean> {
  const keys = [redisKeys.batch(batchId), redisKeys.batchChunks(batchId)];
  const answer = await redis.eval(
    COUNT_CHUNK,
    keys.length,
    ...keys,
    chunk.number,
    chunk.succeeded,
    chunk.failed,
  );
  return answer === 1;
}
