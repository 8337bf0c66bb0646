import type { Hono } from "hono";
import { createLogger } from "../shared/logger.ts";
import type { Logger } from "../shared/logger.ts";
import { openQueues } from "../shared/queue.ts";
import type { Queues } from "../shared/queue.ts";
import { openRedis } from "../shared/redis.ts";
import type { RedisClient } from "../shared/redis.ts";
import { openFinishedFeed } from "../shared/state/finished-feed.ts";
import type { FinishedFeed } from "../shared/state/finished-feed.ts";
import { openStorage } from "../shared/storage/open-storage.ts";
import type { OpenStorageOptions } from "../shared/storage/open-storage.ts";
import type { Storage } from "../shared/storage/storage.ts";
import { untold } from "../shared/trace.ts";
import type { Tracer } from "../shared/trace.ts";
import { openBacklog } from "./backlog.ts";
import type { Backlog } from "./backlog.ts";
import { listenUrl } from "./config.ts";
import type { ApiConfig } from "./config.ts";
import type { HttpMetrics } from "./middleware/metrics.ts";

/** What routes and services work with. */
export interface ApiDeps {
  config: ApiConfig;
  redis: RedisClient;
  storage: Storage;
  queues: Queues;
  finished: FinishedFeed;
  backlog: Backlog;
  logger: Logger;
  tracer: Tracer;
  /** Looks into the jobs of all queues, on pages of its own; where that can be had. */
  board?: Hono;
  /** Counts requests; nobody does where there is nothing to scrape. */
  metrics?: HttpMetrics;
  /** What links begin with, without a slash at the end. */
  baseUrl: () => string;
  /** Aborted when the process is to stop: requests that wait for a result are then answered with what there is. */
  stopping: AbortSignal;
}

/**
 * Opens what the API needs. Connections are made in the background: a Redis that is away shows in `/readyz` and in answers.
 * @param parts `requestHandler` speaks HTTP with storage where Node's own modules cannot; `tracer` tells of requests
 */
export async function openDeps(
  config: ApiConfig,
  stopping: AbortSignal,
  { requestHandler, tracer = untold }: Pick<OpenStorageOptions, "requestHandler"> & { tracer?: Tracer } = {},
): Promise<ApiDeps & { close: () => Promise<void> }> {
  const logger = createLogger("api", config.LOG_LEVEL);
  const onError = (err: Error) => logger.error({ err }, "Redis trouble");
  const redis = openRedis(config.REDIS_URL, "fail-fast", onError);
  const finished = openFinishedFeed(openRedis(config.REDIS_URL, "fail-fast", onError, "when used"));
  const queues = openQueues(redis);
  const storage = await openStorage(config.STORAGE_URL, {
    forcePathStyle: config.S3_FORCE_PATH_STYLE,
    ...(requestHandler && { requestHandler }),
  });
  return {
    config,
    redis,
    storage,
    queues,
    finished,
    backlog: openBacklog(queues),
    logger,
    tracer,
    stopping,
    baseUrl: () => config.PUBLIC_URL ?? listenUrl(config),
    async close() {
      finished.close();
      await queues.close();
      await storage.close();
      redis.disconnect();
      await tracer.close();
    },
  };
}
