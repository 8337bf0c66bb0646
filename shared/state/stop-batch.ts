import type { BatchStatus } from "../contracts/batch.ts";
import { redisKeys } from "../keys.ts";
import type { RedisClient } from "../redis.ts";

/**
 * KEYS[1] the batch (hash)   KEYS[2] the numbers of its finished chunks (set)
 * ARGV[1] what it is to end as, `canceled` or `expired`   ARGV[2] now (RFC 3339)
 * Answers `canceling` when it ends so or was to end before, `ended` when all its items have ended already, `unknown`.
 * What is listed by now is all that it will label: a page that is claimed counts, since its chunks may be enqueued. The
 * rest of the source is noted for a retry, or counted as canceled where it is known how much that is.
 */
const STOP = `
local status, chunks, failing, total, claim, cursor =
  unpack(redis.call("HMGET", KEYS[1], "status", "chunks", "error", "total", "claim", "cursor"))
if not status then return "unknown" end
if status == "canceling" then return status end
if failing or (status ~= "validating" and status ~= "in_progress") then return "ended" end
if chunks then
  if redis.call("SCARD", KEYS[2]) == tonumber(chunks) then return "ended" end
else
  local rest = claim or cursor or '{"chunks":0,"items":0,"position":""}'
  local listed = cjson.decode(rest)
  redis.call("HSET", KEYS[1], "chunks", listed.chunks)
  if tonumber(total) > 0 then
    redis.call("HINCRBY", KEYS[1], "canceled", tonumber(total) - listed.items)
  else
    redis.call("HSET", KEYS[1], "rest", rest)
  end
end
redis.call("HSET", KEYS[1], "status", "canceling", "canceling_at", ARGV[2], "stop", ARGV[1])
return "canceling"`;

/** What became of a wish to stop a batch: it is on its way to its end, it had come there before, or Redis does not know it. */
export type Stopping = "canceling" | "ended" | "unknown";

async function stop(redis: RedisClient, id: string, as: "canceled" | "expired"): Promise<Stopping> {
  const keys = [redisKeys.batch(id), redisKeys.batchChunks(id)];
  return (await redis.eval(STOP, keys.length, ...keys, as, new Date().toISOString())) as Stopping;
}

/** Asks that a batch, or a labeler's run, be canceled. Workers see it within two seconds, and the last of them ends it. Asking again changes nothing. */
export const requestCancel = (redis: RedisClient, id: string): Promise<Stopping> =>
  stop(redis, id, "canceled");

/** Notes that the deadline of a batch has passed: it goes the way of one that is canceled and ends as expired. */
export const expireBatch = (redis: RedisClient, id: string): Promise<Stopping> => stop(redis, id, "expired");

/** What a worker that holds some of a batch's items is to do with them: label them, end them as canceled, or forget them, since nobody counts on them any more. */
export type BatchLook = "moving" | "canceled" | "expired" | "over";

/** Looks how a batch is, and expires it when its deadline has passed. */
export async function lookAtBatch(redis: RedisClient, id: string): Promise<BatchLook> {
  const fields = await redis.hmget(redisKeys.batch(id), "status", "stop", "deadline", "error");
  const [status, stopAs, deadline, failure] = fields;
  if (status === ("canceling" satisfies BatchStatus)) return stopAs === "expired" ? "expired" : "canceled";
  const isMoving =
    status === ("validating" satisfies BatchStatus) || status === ("in_progress" satisfies BatchStatus);
  if (!isMoving || typeof failure === "string") return "over";
  if (typeof deadline !== "string" || Date.parse(deadline) > Date.now()) return "moving";
  // Where all items have ended, the last chunk still has to call for the end.
  return (await expireBatch(redis, id)) === "canceling" ? "expired" : "moving";
}
