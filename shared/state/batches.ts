import { z } from "zod";
import { BatchStatus } from "../contracts/batch.ts";
import type { Batch } from "../contracts/batch.ts";
import { ItemError } from "../contracts/error.ts";
import { BatchRecord } from "../contracts/queue-payloads.ts";
import { redisKeys } from "../keys.ts";
import type { RedisClient } from "../redis.ts";

/** Seconds that a batch stays known in Redis after it was last written to; then storage's manifest speaks for it. */
const MOVING_TTL = 30 * 86_400;
const FINISHED_TTL = 3_600;

const count = z.coerce.number().default(0);
const time = z.iso.datetime().nullable().default(null);

/** How far the source of a batch has been listed: what is enqueued already, and where the source goes on, in the source's own words. */
export const ScanCursor = z.object({ chunks: z.int(), items: z.int(), position: z.string() });
export type ScanCursor = z.infer<typeof ScanCursor>;

const START: ScanCursor = { chunks: 0, items: 0, position: "" };

/** The Redis hash of a batch: what it is made of, its counters, and when it came to each state. */
const BatchHash = z.object({
  record: z.string().transform((text) => BatchRecord.parse(JSON.parse(text))),
  status: BatchStatus,
  total: count,
  cursor: z
    .string()
    .transform((text) => ScanCursor.parse(JSON.parse(text)))
    .default(START),
  chunks: z.coerce.number().nullable().default(null),
  succeeded: count,
  failed: count,
  canceled: count,
  skipped: count,
  in_progress_at: time,
  finalizing_at: time,
  completed_at: time,
  failed_at: time,
  canceling_at: time,
  canceled_at: time,
  expired_at: time,
  error: z
    .string()
    .transform((text) => ItemError.parse(JSON.parse(text)))
    .nullable()
    .default(null),
});
type BatchHash = z.infer<typeof BatchHash>;

/** A batch as Redis has it: the resource, and what a worker needs besides. */
export interface BatchState {
  batch: Batch;
  record: BatchRecord;
  /** How far its source has been listed. */
  cursor: ScanCursor;
  /** Items that were found to have their labels already; only a labeler's run has such. */
  skipped: number;
  /** How many chunks it was cut into; null until its source has been listed to the end. */
  chunks: number | null;
}

/** Writes a new batch, in state `validating`. `total` is how many items it has, 0 while nobody knows. */
export async function putBatch(redis: RedisClient, record: BatchRecord, total: number): Promise<void> {
  const key = redisKeys.batch(record.id);
  const fields = { record: JSON.stringify(record), status: "validating" satisfies BatchStatus, total };
  await redis.multi().hset(key, fields).expire(key, MOVING_TTL).exec();
}

/** The batch, or undefined when Redis has none of this id (storage may). */
export async function getBatchState(redis: RedisClient, id: string): Promise<BatchState | undefined> {
  const fields = await redis.hgetall(redisKeys.batch(id));
  if (Object.keys(fields).length === 0) return undefined;
  const hash = BatchHash.parse(fields);
  return {
    batch: toBatch(hash, Date.now()),
    record: hash.record,
    cursor: hash.cursor,
    chunks: hash.chunks,
    skipped: hash.skipped,
  };
}

/** Notes that items are about to be enqueued and the batch is in progress. Saying so again changes nothing. */
export async function startBatch(redis: RedisClient, id: string): Promise<void> {
  const key = redisKeys.batch(id);
  await redis
    .multi()
    .hset(key, { status: "in_progress" satisfies BatchStatus })
    .hsetnx(key, "in_progress_at", new Date().toISOString())
    .exec();
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

/** Notes that all chunks are done and the results are being put together. */
export async function finalizeBatch(redis: RedisClient, id: string): Promise<void> {
  const key = redisKeys.batch(id);
  await redis
    .multi()
    .hset(key, { status: "finalizing" satisfies BatchStatus })
    .hsetnx(key, "finalizing_at", new Date().toISOString())
    .exec();
}

/** Notes that the batch is completed. Redis may forget it after an hour, since storage has its manifest. */
export async function completeBatch(redis: RedisClient, id: string, completedAt: string): Promise<void> {
  const key = redisKeys.batch(id);
  const fields = { status: "completed" satisfies BatchStatus, completed_at: completedAt };
  await redis.multi().hset(key, fields).expire(key, FINISHED_TTL).exec();
}

/** Notes why the batch cannot be listed, and when that was found; what was noted first stays. It has failed once `endFailedBatch` says so. */
export async function noteFailure(redis: RedisClient, id: string, error: ItemError): Promise<void> {
  const key = redisKeys.batch(id);
  await redis
    .multi()
    .hsetnx(key, "error", JSON.stringify(error))
    .hsetnx(key, "failed_at", new Date().toISOString())
    .exec();
}

/** Notes that the batch has failed. Redis may forget it after an hour, since storage has its manifest. */
export async function endFailedBatch(redis: RedisClient, id: string): Promise<void> {
  const key = redisKeys.batch(id);
  const fields = { status: "failed" satisfies BatchStatus };
  await redis.multi().hset(key, fields).expire(key, FINISHED_TTL).exec();
}

/** The resource made of the hash. `now` is in milliseconds since 1970. */
function toBatch({ record, status, cursor, ...hash }: BatchHash, now: number): Batch {
  const total = Math.max(hash.total, cursor.items);
  const isKnown = hash.total > 0 || hash.chunks !== null;
  const done = hash.succeeded + hash.failed + hash.canceled + hash.skipped;
  const started = hash.in_progress_at === null ? undefined : Date.parse(hash.in_progress_at);
  const msPerItem = started === undefined || done === 0 ? undefined : (now - started) / done;
  return {
    id: record.id,
    object: "batch",
    status,
    model: record.model,
    request_counts: { total, succeeded: hash.succeeded, failed: hash.failed, canceled: hash.canceled },
    progress: total === 0 ? Number(status === "completed") : done / total,
    eta_seconds:
      status !== "in_progress" || msPerItem === undefined || !isKnown
        ? null
        : Math.ceil((msPerItem * (total - done)) / 1000),
    metadata: record.metadata,
    created_at: record.created_at,
    in_progress_at: hash.in_progress_at,
    finalizing_at: hash.finalizing_at,
    completed_at: hash.completed_at,
    failed_at: hash.failed_at,
    canceling_at: hash.canceling_at,
    canceled_at: hash.canceled_at,
    expired_at: hash.expired_at,
    deadline: record.deadline,
    retry_of: record.source.type === "retry" ? record.source.batch_id : null,
    output_formats: record.output_formats,
    error: hash.error,
    urls: { get: record.url, results: `${record.url}/results` },
  };
}
