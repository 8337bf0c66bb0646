import { afterEach, beforeEach, expect, test } from "vitest";
import type { AnnouncedWorker } from "../../../shared/contracts/worker.ts";
import { redisKeys } from "../../../shared/keys.ts";
import { newId } from "../../../shared/new-id.ts";
import { aliveWorkers, announceWorker, forgetWorker } from "../../../shared/state/workers.ts";
import { announcedWorker } from "../../support/announced-worker.ts";
import { startTestRedis } from "../../support/redis.ts";
import type { TestRedis } from "../../support/redis.ts";

let server: TestRedis;
beforeEach(async () => {
  server = await startTestRedis();
});
afterEach(() => server.stop());

async function announce(more: Partial<AnnouncedWorker> = {}): Promise<AnnouncedWorker> {
  const worker = announcedWorker(more);
  await announceWorker(server.redis, worker);
  return worker;
}

test("workers are listed by their host, the longest running first, as they were last heard of", async () => {
  expect(await aliveWorkers(server.redis)).toEqual([]);
  const [older, newer] = [newId("wrk"), newId("wrk")].toSorted();
  if (older === undefined || newer === undefined) throw new Error("Two ids were made.");
  const second = await announce({ host: "b", id: newer });
  await announce({ host: "b", id: older });
  const other = await announce({ host: "a" });
  const first = await announce({ host: "b", id: older, draining: true });
  expect(await aliveWorkers(server.redis)).toEqual([other, first, second]);
});

test("a worker that has stopped is gone at once, and leaves nothing behind", async () => {
  const { id } = await announce();
  const { id: other } = await announce();
  await forgetWorker(server.redis, id);
  expect(await aliveWorkers(server.redis)).toMatchObject([{ id: other }]);
  await forgetWorker(server.redis, other);
  expect(await server.redis.dbsize()).toBe(0);
});

test("a worker that was killed is forgotten twenty seconds after it was last heard of", async () => {
  const { id } = await announce();
  const keys = [redisKeys.worker(id), redisKeys.workers()];
  for (const key of keys) {
    const seconds = await server.redis.ttl(key);
    expect(seconds).toBeGreaterThan(15);
    expect(seconds).toBeLessThanOrEqual(20);
  }
  // What Redis does after that time.
  await server.redis.del(redisKeys.worker(id));
  expect(await aliveWorkers(server.redis)).toEqual([]);
});

test("the ids of workers that were killed go when another is heard of", async () => {
  await server.redis.zadd(redisKeys.workers(), Math.floor(Date.now() / 1_000) - 60, newId("wrk"));
  const { id } = await announce();
  expect(await server.redis.zrange(redisKeys.workers(), "0", "-1")).toEqual([id]);
});
