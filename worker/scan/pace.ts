import type { BatchRecord } from "../../shared/contracts/queue-payloads.ts";
import type { RedisClient } from "../../shared/redis.ts";
import type { ScanCursor } from "../../shared/state/batches.ts";
import { isPaused } from "../../shared/state/labelers.ts";

/** The longest that nobody looks whether a run may go on, in milliseconds. */
const LOOK_AGAIN_MS = 2_000;

/** Milliseconds until it is worth to look whether the page after a cursor may be listed; 0 when it may be now. Only a labeler's runs ever wait. */
export async function msUntilNextPage(
  { labeler }: BatchRecord,
  { next_at }: ScanCursor,
  redis: RedisClient,
): Promise<number> {
  if (labeler !== undefined && (await isPaused(redis, labeler.id))) return LOOK_AGAIN_MS;
  const ms = next_at === undefined ? 0 : Date.parse(next_at) - Date.now();
  return Math.min(Math.max(ms, 0), LOOK_AGAIN_MS);
}

/**
 * When the page after one of `items` items may be listed: as long after it as they last at the pace that was asked for, so
 * that on average no more are enqueued, and what a pause has cost is not caught up. Undefined when no pace was asked for.
 */
export const nextPageAt = ({ images_per_second }: BatchRecord, items: number): Pick<ScanCursor, "next_at"> =>
  images_per_second === undefined
    ? {}
    : { next_at: new Date(Date.now() + (items / images_per_second) * 1_000).toISOString() };
