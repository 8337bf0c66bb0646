import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Redis } from "ioredis";
import { startRedisServer } from "../../infra/local/redis-server.ts";
import { openRedis } from "../../shared/redis.ts";

/** A redis-server of a test file's own, in a temporary directory, and a connection to it. */
export interface TestRedis {
  url: string;
  redis: Redis;
  stop: () => Promise<void>;
}

/** Starts one; to be stopped in `afterAll`. */
export async function startTestRedis(): Promise<TestRedis> {
  const directory = mkdtempSync(join(tmpdir(), "tresline-redis-"));
  const server = await startRedisServer(directory);
  // One server, and so no cluster.
  const redis = openRedis(server.url, "wait", () => {}) as Redis;
  return {
    url: server.url,
    redis,
    async stop() {
      redis.disconnect();
      // Whoever is still connected: a test may want it gone under the feet of its users.
      const last = openRedis(server.url, "fail-fast", () => {});
      await last.shutdown().catch(() => {});
      last.disconnect();
      await server.stop();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}
