import { Classification } from "../contracts/classification.ts";
import { redisKeys } from "../keys.ts";
import type { RedisClient } from "../redis.ts";

/** Tells the feed in which a request waits for a classification how that ended. To be called after storage has the result. */
export async function tellFinished(
  redis: RedisClient,
  feed: string,
  classification: Classification,
): Promise<void> {
  await redis.publish(redisKeys.finishedFeed(feed), `${classification.id} ${JSON.stringify(classification)}`);
}

/** One caller's wait for a classification to finish. */
export interface FinishedWait {
  /** The name of the feed that is to be told. */
  feed: string;
  /** The finished classification, or undefined when `ms` milliseconds have passed or `signal` was aborted first, or when it cannot be read. */
  result(ms: number, signal: AbortSignal): Promise<Classification | undefined>;
  /** Stops to wait: for a job that could not be enqueued. */
  cancel(): void;
}

/**
 * Hears of finished classifications over a Redis connection of its own, which it takes over. All waits of a process share
 * one channel, so that none has to subscribe to anything.
 */
export function openFinishedFeed(redis: RedisClient) {
  const feed = crypto.randomUUID();
  const waiting = new Map<string, (classification: Classification | undefined) => void>();
  let subscribed: Promise<unknown> | undefined;
  redis.on("message", (_channel: string, text: string) => {
    const end = text.indexOf(" ");
    waiting.get(text.slice(0, end))?.(read(text.slice(end + 1)));
  });
  const subscribe = () =>
    redis.subscribe(redisKeys.finishedFeed(feed)).catch((error: unknown) => {
      subscribed = undefined;
      throw error;
    });
  return {
    /** Starts to listen for `id`. To be called before the job is enqueued, so that no end is missed. */
    async expect(id: string): Promise<FinishedWait> {
      await (subscribed ??= subscribe());
      const { promise: finished, resolve } = Promise.withResolvers<Classification | undefined>();
      const giveUp = () => resolve(undefined);
      const cancel = () => void waiting.delete(id);
      waiting.set(id, resolve);
      return {
        feed,
        cancel,
        async result(ms, signal) {
          const timer = setTimeout(giveUp, ms);
          signal.addEventListener("abort", giveUp, { once: true });
          if (signal.aborted) giveUp();
          try {
            return await finished;
          } finally {
            clearTimeout(timer);
            signal.removeEventListener("abort", giveUp);
            cancel();
          }
        },
      };
    },
    close: () => redis.disconnect(),
  };
}

/** The finished classification, or undefined when a worker of another version told it in a form that is not known here. */
function read(text: string): Classification | undefined {
  try {
    return Classification.parse(JSON.parse(text));
  } catch {
    return undefined;
  }
}

/** Hears of finished classifications. */
export type FinishedFeed = ReturnType<typeof openFinishedFeed>;
