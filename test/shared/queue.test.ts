import { afterAll, beforeAll, expect, test } from "vitest";
import { Worker } from "bullmq";
import { REDIS_PREFIX } from "../../shared/keys.ts";
import { newId } from "../../shared/new-id.ts";
import { openQueues, queueNames } from "../../shared/queue.ts";
import type { Queues } from "../../shared/queue.ts";
import { imageJob } from "../support/labelling.ts";
import { startTestRedis } from "../support/redis.ts";
import type { TestRedis } from "../support/redis.ts";

let server: TestRedis;
let queues: Queues;
beforeAll(async () => {
  server = await startTestRedis();
  queues = openQueues(server.redis);
});
afterAll(async () => {
  await queues.close();
  await server.stop();
});

test.each(["interactive", "bulk"] as const)(
  "an %s job is found until it is done, and when a worker took it is told",
  async (lane) => {
    const payload = imageJob("/a", { priority: lane });
    await queues.enqueueClassify("birds", lane, [{ id: payload.id, payload }]);
    expect(await queues.findClassification(["fish", "birds"], payload.id)).toEqual({
      payload,
      startedAt: undefined,
    });
    const before = Date.now();
    const { promise: isTaken, resolve: taken } = Promise.withResolvers<void>();
    const { promise: mayEnd, resolve: end } = Promise.withResolvers<void>();
    const worker = new Worker(
      queueNames.classify("birds", lane),
      async () => {
        taken();
        await mayEnd;
      },
      { connection: server.redis, prefix: REDIS_PREFIX },
    );
    await isTaken;
    const found = await queues.findClassification(["fish", "birds"], payload.id);
    expect(found?.startedAt?.getTime()).toBeGreaterThanOrEqual(before);
    end();
    await worker.close();
    expect(await queues.findClassification(["fish", "birds"], payload.id)).toBeUndefined();
  },
);

test("a job that nobody enqueued is not found", async () => {
  expect(await queues.findClassification(["birds"], newId("cls"))).toBeUndefined();
});

test("an id that is queued is not enqueued a second time", async () => {
  const payload = imageJob("/twice", { model: "twice" });
  for (const _ of [1, 2]) await queues.enqueueClassify("twice", "bulk", [{ id: payload.id, payload }]);
  const waiting = await server.redis.llen(`${REDIS_PREFIX}:${queueNames.classify("twice", "bulk")}:wait`);
  expect(waiting).toBe(1);
});

test("what waits in a lane is counted, also what was put off, and no other lane's", async () => {
  const jobs = ["/1", "/2"].map((path) => imageJob(path)).map((payload) => ({ id: payload.id, payload }));
  await queues.enqueueClassify("counted", "bulk", jobs);
  const worker = new Worker(queueNames.classify("counted", "bulk"), null, {
    connection: server.redis,
    prefix: REDIS_PREFIX,
  });
  const job = await worker.getNextJob("token");
  expect(await queues.countWaiting("counted", "bulk"), "one is in hand").toBe(1);
  await job?.moveToDelayed(Date.now() + 60_000, "token");
  await worker.close();
  expect(await queues.countWaiting("counted", "bulk")).toBe(2);
  expect(await queues.countWaiting("counted", "interactive")).toBe(0);
});
