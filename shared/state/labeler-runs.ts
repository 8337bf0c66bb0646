import type { BatchRecord } from "../contracts/queue-payloads.ts";
import { redisKeys } from "../keys.ts";
import type { RedisClient } from "../redis.ts";
import { putBatch } from "./batches.ts";
import { toPage } from "./id-list.ts";
import type { PageOf, Place } from "./id-list.ts";

/** How many runs of a labeler stay in its list, the newest ones. */
const KEPT_RUNS = 1_000;

/**
 * KEYS[1] the labeler (hash)   KEYS[2] its runs (sorted set, by how many were started before)   KEYS[3] the new run (hash)
 * ARGV[1] the run's id   ARGV[2] how many runs the caller knows to have been started   ARGV[3] how many are kept
 * ARGV[4] what the number of unseen objects changes by
 * Answers 1, or 0 when another run was started meanwhile or the labeler is deleted: the new run is forgotten then. A run
 * that is among its runs already is left as it is.
 */
const CLAIM = `
if redis.call("ZSCORE", KEYS[2], ARGV[1]) then return 1 end
if redis.call("EXISTS", KEYS[1]) == 0 or tonumber(redis.call("HGET", KEYS[1], "runs") or 0) ~= tonumber(ARGV[2]) then
  redis.call("DEL", KEYS[3])
  return 0
end
redis.call("ZADD", KEYS[2], redis.call("HINCRBY", KEYS[1], "runs", 1), ARGV[1])
redis.call("ZREMRANGEBYRANK", KEYS[2], 0, -1 - tonumber(ARGV[3]))
redis.call("HINCRBY", KEYS[1], "unseen", ARGV[4])
return 1`;

/**
 * Writes a new run of a labeler, in state `validating`, and puts it into the labeler's list. False, and nothing is
 * written, when another one was started since `known.runs` of them were counted, or when the labeler is deleted.
 * @param known what the caller has read of the labeler; the run looks for `known.unseen` objects that were missed
 */
export async function putRun(
  redis: RedisClient,
  labelerId: string,
  record: BatchRecord,
  known: { runs: number; unseen: number },
): Promise<boolean> {
  await putBatch(redis, record, 0);
  const keys = [redisKeys.labeler(labelerId), redisKeys.labelerRuns(labelerId), redisKeys.batch(record.id)];
  const args = [record.id, known.runs, KEPT_RUNS, -known.unseen];
  return (await redis.eval(CLAIM, keys.length, ...keys, ...args)) === 1;
}

/** A page of the ids of a labeler's runs, the latest started first. */
export async function listRunIds(
  redis: RedisClient,
  labelerId: string,
  { limit, before }: Place,
): Promise<PageOf<string>> {
  const list = redisKeys.labelerRuns(labelerId);
  const rank = before === undefined ? -1 : await redis.zrevrank(list, before);
  // One that is no longer in the list was among the oldest, and nothing comes after it.
  const ids = rank === null ? [] : await redis.zrevrange(list, rank + 1, rank + 1 + limit);
  return toPage(ids, limit, (id) => id);
}
