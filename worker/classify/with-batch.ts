import type { RedisClient } from "../../shared/redis.ts";
import { lookAtBatch } from "../../shared/state/stop-batch.ts";
import type { BatchLook } from "../../shared/state/stop-batch.ts";
import { stopReason } from "./stop-reason.ts";

/** Milliseconds between looks at the batch of a chunk that is in hand. */
const LOOK_MS = 2_000;

/**
 * Runs something with a signal that is aborted soon after the batch is canceled or its deadline has passed; its reason is a
 * TransientError, canceled or deadline_exceeded. Undefined when nobody counts on the chunk any more: its batch has failed,
 * or had ended before.
 */
export async function withBatch<Result>(
  redis: RedisClient,
  batchId: string,
  run: (signal: AbortSignal) => Promise<Result>,
): Promise<Result | undefined> {
  const controller = new AbortController();
  const look = async (): Promise<BatchLook> => {
    const found = await lookAtBatch(redis, batchId);
    if (found !== "moving") controller.abort(stopReason(found === "expired" ? "expired" : "canceled"));
    return found;
  };
  if ((await look()) === "over") return undefined;
  // A look that Redis does not answer is followed by another.
  const timer = setInterval(() => void look().catch(() => {}), LOOK_MS);
  try {
    const result = await run(controller.signal);
    return (await look()) === "over" ? undefined : result;
  } finally {
    clearInterval(timer);
  }
}
