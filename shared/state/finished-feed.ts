import { Classification } from "../contracts/classification.ts";
import { redisKeys } from "../keys.ts";
import type { RedisClient } from "../redis.ts";

/** Tells those who wait for a classification how it ended. To be called after storage has the result. */
export async function tellFinished(redis: RedisClient, classification: Classification): Promise<void> {
  await redis.publish(redisKeys.finished(classification.id), JSON.stringify(classification));
}

/** One caller's wait for a classification to finish. */
export interface FinishedWait {
  /** The finished classification, or undefined when `ms` milliseconds have passed or `signal` was aborted first, or when it cannot be read. */
  result(ms: number, signal: AbortSignal): Promise<Classification | undefined>;
  /** Stops to listen: for a job that could not be enqueued. */
  cancel(): Promise<void>;
}

/** Hears of finished classifications over a Redis connection of its own, which it takes over. */
export function openFinishedFeed(redis: RedisClient) {
  const waiting = new Map<string, (classification: Classification | undefined) => void>();
  redis.on("message", (channel: string, text: string) => waiting.get(channel)?.(read(text)));
  return {
    /** Starts to listen for `id`. To be called before the job is enqueued, so that no end is missed. */
    async expect(id: string): Promise<FinishedWait> {
      const channel = redisKeys.finished(id);
      const { promise: finished, resolve } = Promise.withResolvers<Classification | undefined>();
      const giveUp = () => resolve(undefined);
      const cancel = async () => {
        waiting.delete(channel);
        await redis.unsubscribe(channel);
      };
      waiting.set(channel, resolve);
      await redis.subscribe(channel).catch((error: unknown) => {
        waiting.delete(channel);
        throw error;
      });
      return {
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
            cancel().catch(() => {});
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
