import { afterAll, beforeAll, expect, test } from "vitest";
import { openRedis, redisFaults } from "../../shared/redis.ts";
import { startTestRedis } from "../support/redis.ts";
import type { TestRedis } from "../support/redis.ts";

let server: TestRedis;
beforeAll(async () => {
  server = await startTestRedis();
});
afterAll(() => server.stop());

test("the Redis that is started with Tresline keeps accepted work", async () => {
  expect(await redisFaults(server.redis)).toEqual([]);
});

test("a Redis that may lose accepted work has a sentence for each reason", async () => {
  await server.redis.config("SET", "appendonly", "no");
  await server.redis.config("SET", "maxmemory-policy", "allkeys-lru");
  const faults = await redisFaults(server.redis);
  expect(faults).toHaveLength(2);
  expect(faults.join("\n")).toMatch(
    /maxmemory-policy is allkeys-lru; set it to noeviction[^]*appendonly yes/,
  );
});

test("where a request waits for it, a Redis that is away is an error and is told", async () => {
  const told: Error[] = [];
  // Port 1 of the loopback address: nothing listens there.
  const redis = openRedis("redis://127.0.0.1:1", "fail-fast", (error) => told.push(error));
  await expect(redis.ping()).rejects.toThrow("max retries per request");
  redis.disconnect();
  expect(told.length).toBeGreaterThan(0);
});
