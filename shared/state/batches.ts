import * as z from "zod";
import { BatchStatus } from "../contracts/batch.ts";
import type { Batch } from "../contracts/batch.ts";
import { ItemError } from "../contracts/error.ts";
import { RunReport } from "../contracts/labeler.ts";
import { BatchRecord } from "../contracts/queue-payloads.ts";
import { redisKeys } from "../keys.ts";
import type { RedisClient } from "../redis.ts";

/** Seconds that a batch stays known in Redis after anybody last listed or counted anything of it. */
export const MOVING_TTL = 30 * 86_400;
const FINISHED_TTL = 3_600;

const count = z.coerce.number().default(0);
const time = z.iso.datetime().nullable().default(null);

/**
 * How far the source of a batch has been listed: what is enqueued already, and where the source goes on, in the source's own
 * words. `next_at` is when it may be listed on, of one that goes no faster than it was told.
 */
export const ScanCursor = z.object({
  chunks: z.int(),
  items: z.int(),
  position: z.string(),
  next_at: z.iso.datetime().optional(),
});
export type ScanCursor = z.infer<typeof ScanCursor>;

const START: ScanCursor = { chunks: 0, items: 0, position: "" };
const cursor = z.string().transform((text) => ScanCursor.parse(JSON.parse(text)));

/** The Redis hash of a batch: what it is made of, its counters, and when it came to each state. */
const BatchHash = z.object({
  record: z.string().transform((text) => BatchRecord.parse(JSON.parse(text))),
  status: BatchStatus,
  total: count,
  cursor: cursor.default(START),
  claim: cursor.default(START),
  rest: cursor.nullable().default(null),
  stop: z.enum(["canceled", "expired"]).nullable().default(null),
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
  report: z
    .string()
    .transform((text) => RunReport.parse(JSON.parse(text)))
    .nullable()
    .default(null),
});
type BatchHash = z.infer<typeof BatchHash>;

/** A batch as Redis has it: the resource, and what a worker needs besides. */
export interface BatchState {
  batch: Batch;
  record: BatchRecord;
  /** How far its source has been listed and enqueued. */
  cursor: ScanCursor;
  /** How many items have been listed: those of the page after the cursor too, once a worker has begun to enqueue that. */
  listed: number;
  /** Whether a worker has begun to enqueue the page after the cursor. */
  isClaimed: boolean;
  /** What it ends as instead of completed, once it is to stop. */
  stop: "canceled" | "expired" | null;
  /** Where its source was not listed on from, when it stopped before the end of that and nobody knows what is there. */
  rest: ScanCursor | null;
  /** Items that were found to have their labels already; only a labeler's run has such. */
  skipped: number;
  /** What a labeler's run has changed, once it is completed; only one that relabels tells that. */
  report: RunReport | null;
  /** How many chunks it was cut into; null until its source has been listed to the end, or as far as it will be. */
  chunks: number | null;
}

/** KEYS[1] the batch (hash)   ARGV[1] for how many seconds   ARGV[2…] its fields and their values. One that there is already is left as it is. */
const PUT_BATCH = `
if redis.call("EXISTS", KEYS[1]) == 1 then return end
redis.call("HSET", KEYS[1], unpack(ARGV, 2))
redis.call("EXPIRE", KEYS[1], ARGV[1])`;

/** Writes a new batch, in state `validating`, unless it is there. `total` is how many items it has, 0 while nobody knows. */
export async function putBatch(redis: RedisClient, record: BatchRecord, total: number): Promise<void> {
  const key = redisKeys.batch(record.id);
  const { deadline, webhook } = record;
  const fields = {
    record: JSON.stringify(record),
    status: "validating" satisfies BatchStatus,
    total,
    ...(deadline !== null && { deadline }),
    ...(webhook?.events?.includes("batch.progress") === true && { tells_progress: 1 }),
  };
  await redis.eval(PUT_BATCH, 1, key, MOVING_TTL, ...Object.entries(fields).flat());
}

/** Lets Redis know a batch that moves for another month: a labeler may be paused for long. */
export async function keepBatch(redis: RedisClient, id: string): Promise<void> {
  await redis.expire(redisKeys.batch(id), MOVING_TTL);
}

/** Makes Redis forget a batch. */
export async function forgetBatch(redis: RedisClient, id: string): Promise<void> {
  await redis.del(redisKeys.batch(id), redisKeys.batchChunks(id));
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
    listed: listedOf(hash),
    isClaimed: hash.claim.chunks > hash.cursor.chunks,
    stop: hash.stop,
    rest: hash.rest,
    chunks: hash.chunks,
    skipped: hash.skipped,
    report: hash.report,
  };
}

/** KEYS[1] the batch (hash)   ARGV[1] now (RFC 3339). Only a new batch starts: one that is to stop before goes on stopping. */
const START_BATCH = `
if redis.call("HGET", KEYS[1], "status") ~= "validating" then return end
redis.call("HSET", KEYS[1], "status", "in_progress", "in_progress_at", ARGV[1])`;

/** Notes that items are about to be enqueued and the batch is in progress. Saying so again changes nothing. */
export async function startBatch(redis: RedisClient, id: string): Promise<void> {
  await redis.eval(START_BATCH, 1, redisKeys.batch(id), new Date().toISOString());
}

/** KEYS[1] the batch (hash)   ARGV[1] now (RFC 3339). One that is to stop stays so, and what has ended is left as it is. */
const FINALIZE = `
local status = redis.call("HGET", KEYS[1], "status")
if status == "validating" or status == "in_progress" then
  redis.call("HSET", KEYS[1], "status", "finalizing")
elseif status ~= "finalizing" and status ~= "canceling" then return end
redis.call("HSETNX", KEYS[1], "finalizing_at", ARGV[1])`;

/** Notes that all chunks are done and the results are being put together. */
export async function finalizeBatch(redis: RedisClient, id: string): Promise<void> {
  await redis.eval(FINALIZE, 1, redisKeys.batch(id), new Date().toISOString());
}

/** How a batch may end. */
export type FinalStatus = "completed" | "failed" | "canceled" | "expired";

/** Notes how a batch has ended, and when (RFC 3339). Redis may forget it after an hour, since storage has its manifest. */
export async function endBatch(
  redis: RedisClient,
  id: string,
  status: FinalStatus,
  at: string,
  report: RunReport | null = null,
): Promise<void> {
  const key = redisKeys.batch(id);
  await redis
    .multi()
    .hset(key, { status, [`${status}_at`]: at, ...(report && { report: JSON.stringify(report) }) })
    .expire(key, FINISHED_TTL)
    .expire(redisKeys.batchChunks(id), FINISHED_TTL)
    .exec();
}

/**
 * KEYS[1] the batch (hash)   ARGV[1] the reason (JSON)   ARGV[2] now (RFC 3339)
 * Answers 1 when the batch fails for it or for one noted before, 0 when all that was wanted of its source is listed.
 */
const NOTE_FAILURE = `
local status, chunks, claim, cursor =
  unpack(redis.call("HMGET", KEYS[1], "status", "chunks", "claim", "cursor"))
if status == "failed" then return 1 end
if status ~= "validating" and status ~= "in_progress" and status ~= "canceling" then return 0 end
local claimed = claim and cjson.decode(claim).chunks or 0
local enqueued = cursor and cjson.decode(cursor).chunks or 0
if chunks and claimed <= enqueued then return 0 end
redis.call("HSETNX", KEYS[1], "error", ARGV[1])
redis.call("HSETNX", KEYS[1], "failed_at", ARGV[2])
return 1`;

/**
 * Notes why the batch cannot be listed, and when that was found; what was noted first stays, and no chunk counts from now
 * on. It has failed once `endBatch` says so. False when the batch was stopped meanwhile, or another worker has listed it to its end.
 */
export async function noteFailure(redis: RedisClient, id: string, error: ItemError): Promise<boolean> {
  const now = new Date().toISOString();
  return (await redis.eval(NOTE_FAILURE, 1, redisKeys.batch(id), JSON.stringify(error), now)) === 1;
}

const listedOf = ({ cursor: enqueued, claim }: Pick<BatchHash, "cursor" | "claim">) =>
  Math.max(enqueued.items, claim.items);

/** The resource made of the hash. `now` is in milliseconds since 1970. */
function toBatch({ record, status, ...hash }: BatchHash, now: number): Batch {
  const total = Math.max(hash.total, listedOf(hash));
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
    progress: total === 0 ? Number(hash.finalizing_at !== null) : done / total,
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
    expires_at: record.expires_at,
    retry_of: record.source.type === "retry" ? record.source.batch_id : null,
    output_formats: record.output_formats,
    error: hash.error,
    urls: {
      get: record.url,
      results: `${record.url}/results`,
      events: `${record.url}/events`,
      cancel: `${record.url}/cancel`,
      retry: `${record.url}/retry`,
    },
  };
}
