import { createLogger } from "../../shared/logger.ts";
import { openQueues } from "../../shared/queue.ts";
import { openRedis } from "../../shared/redis.ts";
import { openStorage } from "../../shared/storage/open-storage.ts";
import { openSourceBuckets } from "../../shared/storage/s3-source-buckets.ts";
import { untold } from "../../shared/trace.ts";
import { createMetrics } from "../../worker/metrics.ts";
import { startScan } from "../../worker/scan/start.ts";

// The entry of a process that does the `scan` role on the Redis, the storage and the source buckets it is told of: to be killed.
const [redisUrl = "", storageUrl = "", ...allowed] = process.argv.slice(2);
const redis = openRedis(redisUrl, "wait", () => {});
startScan({
  config: { RETENTION_DAYS: 0 },
  redis,
  storage: await openStorage(storageUrl, { forcePathStyle: true }),
  buckets: await openSourceBuckets(allowed, { forcePathStyle: true }),
  queues: openQueues(redis),
  logger: createLogger("scan-worker", "silent"),
  metrics: createMetrics(),
  tracer: untold,
});
process.send?.("ready");
process.once("disconnect", () => process.exit());
