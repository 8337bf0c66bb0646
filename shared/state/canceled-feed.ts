import { PermanentError } from "../errors.ts";
import { redisKeys } from "../keys.ts";
import type { RedisClient } from "../redis.ts";

/** Tells the worker that may have a classification in hand that it is canceled. To be called after storage says so. */
export async function tellCanceled(redis: RedisClient, id: string): Promise<void> {
  await redis.publish(redisKeys.canceledFeed(), id);
}

/**
 * Hears of canceled classifications over a Redis connection of its own, which it takes over. An image that nobody cancels
 * costs Redis nothing by that; and what is not heard is only labelled in vain, since storage has its end already.
 */
export function openCanceledFeed(redis: RedisClient) {
  const inHand = new Map<string, AbortController>();
  redis.on("message", (_channel: string, id: string) =>
    inHand.get(id)?.abort(new PermanentError("canceled", "It was canceled before it was labelled.")),
  );
  // The connection itself tells of its errors, and subscribes again when it is back.
  redis.subscribe(redisKeys.canceledFeed()).catch(() => {});
  return {
    /** Runs something with a signal that is aborted when the classification is canceled; its reason is a PermanentError canceled. */
    async during<Result>(id: string, run: (signal: AbortSignal) => Promise<Result>): Promise<Result> {
      const controller = new AbortController();
      inHand.set(id, controller);
      try {
        return await run(controller.signal);
      } finally {
        if (inHand.get(id) === controller) inHand.delete(id);
      }
    },
    close: () => redis.disconnect(),
  };
}

/** Hears of canceled classifications. */
export type CanceledFeed = ReturnType<typeof openCanceledFeed>;
