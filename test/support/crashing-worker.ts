import { z } from "zod";
import { createLogger } from "../../shared/logger.ts";
import { openRedis } from "../../shared/redis.ts";
import { consume } from "../../worker/consume.ts";
import { createMetrics } from "../../worker/metrics.ts";

// The entry of a process that takes a job of the queue it is told of, says so, and never finishes it: to be killed.
const [queue = "", redisUrl = ""] = process.argv.slice(2);
const redis = openRedis(redisUrl, "wait", () => {});
consume(
  { redis, logger: createLogger("crashing-worker", "silent"), metrics: createMetrics() },
  {
    queue,
    payload: z.unknown(),
    concurrency: 1,
    handle: () => {
      process.send?.("taken");
      return new Promise(() => {});
    },
  },
);
process.once("disconnect", () => process.exit());
