import { createLogger } from "../shared/logger.ts";
import type { Logger } from "../shared/logger.ts";
import { serveMetrics } from "../shared/metrics-server.ts";
import { openQueues } from "../shared/queue.ts";
import type { Queues } from "../shared/queue.ts";
import { openRedis } from "../shared/redis.ts";
import type { RedisClient } from "../shared/redis.ts";
import { openStorage } from "../shared/storage/open-storage.ts";
import { openSourceBuckets } from "../shared/storage/s3-source-buckets.ts";
import type { SourceBuckets } from "../shared/storage/source-buckets.ts";
import type { Storage } from "../shared/storage/storage.ts";
import { untold } from "../shared/trace.ts";
import type { Tracer } from "../shared/trace.ts";
import { warnOfRedisFaults } from "../shared/warn-of-redis-faults.ts";
import { announceThisWorker } from "./announce-worker.ts";
import type { Announced } from "./announce-worker.ts";
import { startClassify } from "./classify/start.ts";
import type { Role, WorkerConfig } from "./config.ts";
import type { Consuming } from "./consume.ts";
import { startDeliver } from "./deliver/start.ts";
import { createMetrics } from "./metrics.ts";
import type { WorkerMetrics } from "./metrics.ts";
import { closedNetworks } from "./net/address.ts";
import { readBacklog } from "./read-backlog.ts";
import { startScan } from "./scan/start.ts";
import { stopAll } from "./stop-all.ts";

/** What the roles work with. */
export interface WorkerDeps {
  config: WorkerConfig;
  redis: RedisClient;
  storage: Storage;
  buckets: SourceBuckets;
  queues: Queues;
  logger: Logger;
  metrics: WorkerMetrics;
  tracer: Tracer;
  /** Called when a part of the process has died that the process cannot do without. */
  onCrash: (error: Error) => void;
}

const ROLES: Record<Role, (deps: WorkerDeps & { announced: Announced }) => Consuming | Promise<Consuming>> = {
  classify: startClassify,
  deliver: startDeliver,
  scan: startScan,
};

/** Starts the roles of a worker and returns when all of them take jobs. */
export async function startWorker(
  config: WorkerConfig,
  onCrash: (error: Error) => void,
  tracer: Tracer = untold,
): Promise<Consuming> {
  const logger = createLogger("worker", config.LOG_LEVEL);
  const redis = openRedis(config.REDIS_URL, "wait", (err) => logger.error({ err }, "Redis trouble"));
  void warnOfRedisFaults({ redis, logger });
  for (const network of closedNetworks(config.ALLOWED_PRIVATE_NETWORKS))
    logger.warn({ network }, "ALLOWED_PRIVATE_NETWORKS does not open this network: nothing does");
  const s3 = { forcePathStyle: config.S3_FORCE_PATH_STYLE };
  const storage = await openStorage(config.STORAGE_URL, s3);
  const buckets = await openSourceBuckets(config.S3_SOURCE_BUCKETS, s3);
  const queues = openQueues(redis);
  const announced = announceThisWorker(redis, config.WORKER_ROLES);
  const metrics = createMetrics();
  const metricsServer = await serveMetrics(metrics.registry, config, logger);
  const deps = { config, redis, storage, buckets, queues, logger, metrics, tracer, onCrash, announced };
  // Workers that scan are always there, also while nobody classifies.
  if (config.WORKER_ROLES.includes("scan")) metrics.watchBacklog(() => readBacklog(deps));
  const consuming = await Promise.all(config.WORKER_ROLES.map(async (role) => ROLES[role](deps)));
  logger.info({ roles: config.WORKER_ROLES }, "worker ready");
  const stop: Consuming["stop"] = async (deadline) => {
    announced.drain();
    const stopped = await stopAll(consuming, deadline);
    logger.info({ finished: stopped.finished, handed_back: stopped.handedBack }, "worker stopped");
    await announced.stop();
    await metricsServer.close();
    await tracer.close();
    return stopped;
  };
  return {
    stop,
    async close() {
      await stop();
      await Promise.all(consuming.map((each) => each.close()));
      await queues.close();
      await storage.close();
      await buckets.close();
      redis.disconnect();
    },
  };
}
