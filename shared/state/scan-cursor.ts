import { redisKeys } from "../keys.ts";
import type { RedisClient } from "../redis.ts";
import type { ScanCursor } from "./batches.ts";

/**
 * KEYS[1] the batch (hash)   ARGV[1] the chunks before the page   ARGV[2] the cursor after it (JSON)
 * Answers `go`, `behind` when another worker is further on, or `stopped` when nothing more is to be listed. A page that is
 * claimed and not enqueued is always `go`: its chunks are in the number that the batch was sealed with.
 */
const CLAIM_PAGE = `
local status, failing, claim, cursor =
  unpack(redis.call("HMGET", KEYS[1], "status", "error", "claim", "cursor"))
local enqueued = cursor and cjson.decode(cursor).chunks or 0
if enqueued ~= tonumber(ARGV[1]) then return "behind" end
if claim and cjson.decode(claim).chunks > enqueued then return "go" end
if failing or status ~= "in_progress" then return "stopped" end
redis.call("HSET", KEYS[1], "claim", ARGV[2])
return "go"`;

/** Whether the page between two cursors may be enqueued. To be asked before each, so that whoever stops the batch knows which chunks there may be. */
export async function claimPage(
  redis: RedisClient,
  id: string,
  before: ScanCursor,
  after: ScanCursor,
): Promise<"go" | "behind" | "stopped"> {
  const answer = await redis.eval(CLAIM_PAGE, 1, redisKeys.batch(id), before.chunks, JSON.stringify(after));
  return answer as "go" | "behind" | "stopped";
}

/** KEYS[1] the batch (hash)   ARGV[1] the cursor (JSON)   ARGV[2] its chunks. A cursor never goes back. */
const SAVE_CURSOR = `
if redis.call("EXISTS", KEYS[1]) == 0 then return end
local known = redis.call("HGET", KEYS[1], "cursor")
if known and cjson.decode(known).chunks >= tonumber(ARGV[2]) then return end
redis.call("HSET", KEYS[1], "cursor", ARGV[1])`;

/** Notes that everything before the cursor is enqueued. Two workers may list one source for a while: the one further on counts. */
export async function saveCursor(redis: RedisClient, id: string, cursor: ScanCursor): Promise<void> {
  await redis.eval(SAVE_CURSOR, 1, redisKeys.batch(id), JSON.stringify(cursor), cursor.chunks);
}
