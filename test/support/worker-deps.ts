import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Logger } from "../../shared/logger.ts";
import { openQueues } from "../../shared/queue.ts";
import type { Queues } from "../../shared/queue.ts";
import type { RedisClient } from "../../shared/redis.ts";
import { openStorage } from "../../shared/storage/open-storage.ts";
import type { LabelWriter } from "../../shared/storage/label-writer.ts";
import { openLabelWriter } from "../../shared/storage/s3-label-writer.ts";
import { openSourceBuckets } from "../../shared/storage/s3-source-buckets.ts";
import type { SourceBuckets } from "../../shared/storage/source-buckets.ts";
import type { Storage } from "../../shared/storage/storage.ts";
import { untold } from "../../shared/trace.ts";
import type { Tracer } from "../../shared/trace.ts";
import { createMetrics } from "../../worker/metrics.ts";
import type { WorkerMetrics } from "../../worker/metrics.ts";
import { openLog } from "./open-log.ts";
import type { LogLine } from "./open-log.ts";
import { startTestRedis } from "./redis.ts";

/** What the handlers of a worker work with: a real Redis, storage in a temporary directory, and a log that is kept. */
export interface WorkerTestDeps {
  redisUrl: string;
  storageUrl: string;
  redis: RedisClient;
  storage: Storage;
  /** Of which none may be read. */
  buckets: SourceBuckets;
  labelWriter: LabelWriter;
  queues: Queues;
  logger: Logger;
  metrics: WorkerMetrics;
  /** Which tells nobody. */
  tracer: Tracer;
  /** What was logged so far. */
  log: LogLine[];
  stop: () => Promise<void>;
}

/** Opens them; to be stopped in `afterAll`. */
export async function openWorkerDeps(): Promise<WorkerTestDeps> {
  const server = await startTestRedis();
  const directory = mkdtempSync(join(tmpdir(), "tresline-storage-"));
  const storageUrl = `file:${directory}`;
  const storage = await openStorage(storageUrl, { forcePathStyle: false });
  const buckets = await openSourceBuckets([], {});
  const labelWriter = await openLabelWriter([], {});
  const queues = openQueues(server.redis);
  const { logger, log } = openLog();
  return {
    redisUrl: server.url,
    storageUrl,
    redis: server.redis,
    storage,
    buckets,
    labelWriter,
    queues,
    logger,
    metrics: createMetrics(),
    tracer: untold,
    log,
    async stop() {
      await queues.close();
      await storage.close();
      await server.stop();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}
