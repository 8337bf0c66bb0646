import pLimit from "p-limit";
import { PermanentError } from "../../shared/errors.ts";
import type { RedisClient } from "../../shared/redis.ts";
import { clear, suspect } from "../../shared/state/suspects.ts";

/** How many workers an image may take down while it is the only suspect in hand. */
const MAX_CRASHES = 2;

/** Runs an image that was in hand when a worker died, and throws PermanentError inference_failed when it is found to be the cause. */
export type Quarantine = <Result>(id: string, run: () => Promise<Result>) => Promise<Result>;

/**
 * When a worker dies, everything it had in hand is suspect, and one image of it may be the cause. So suspects run one at a
 * time, and each is noted before it runs and cleared after it: what is found noted again and again is what kills.
 */
export function createQuarantine(redis: RedisClient): Quarantine & {
  /** Clears the suspect in hand and runs no more of them: the worker ends, and for no fault of theirs. */
  acquit: () => Promise<void>;
} {
  const oneAtATime = pLimit(1);
  let inHand: string | undefined;
  const quarantine: Quarantine = (id, run) =>
    oneAtATime(async () => {
      inHand = id;
      const crashes = await suspect(redis, id);
      try {
        if (crashes >= MAX_CRASHES)
          throw new PermanentError(
            "inference_failed",
            `It was given up: ${crashes} workers stopped while they had no other suspect in hand.`,
          );
        return await run();
      } finally {
        await clear(redis, id);
        inHand = undefined;
      }
    });
  const acquit = async () => {
    oneAtATime.clearQueue();
    if (inHand !== undefined) await clear(redis, inHand);
  };
  return Object.assign(quarantine, { acquit });
}
