import { once } from "node:events";
import { connect, createServer } from "node:net";
import type { AddressInfo, Socket } from "node:net";
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import { Queue, Worker } from "bullmq";
import { REDIS_PREFIX } from "../../shared/keys.ts";
import { newId } from "../../shared/new-id.ts";
import { openQueues, queueNames } from "../../shared/queue.ts";
import type { Queues } from "../../shared/queue.ts";
import { openRedis } from "../../shared/redis.ts";
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

test("since when the oldest message is under way is known, whether it waits or is put off", async () => {
  expect(await queues.oldestMessage()).toBeUndefined();
  const queue = new Queue(queueNames.deliver, { connection: server.redis, prefix: REDIS_PREFIX });
  onTestFinished(() => queue.close());
  await queue.add("deliver", {}, { jobId: "msg_new", timestamp: 3_000 });
  expect(await queues.oldestMessage()).toEqual(new Date(3_000));
  for (let i = 0; i < 10; i++)
    await queue.add("deliver", {}, { jobId: `msg_late_${i}`, timestamp: 2_000 + i, delay: 1e12 });
  expect(await queues.oldestMessage()).toEqual(new Date(2_000));
  await queue.add("deliver", {}, { jobId: "msg_soon", timestamp: 1_000, delay: 1e11 });
  expect(await queues.oldestMessage()).toEqual(new Date(1_000));
  await queue.obliterate();
});

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

test("where a request waits for it, a Redis that was never there is an error, and once it is there jobs are taken", async () => {
  const sockets: Socket[] = [];
  const gate = createServer((client) => {
    const redis = connect(Number(new URL(server.url).port), "127.0.0.1");
    sockets.push(client, redis);
    for (const socket of [client, redis]) socket.on("error", () => {});
    client.pipe(redis).pipe(client);
  });
  gate.listen(0, "127.0.0.1");
  await once(gate, "listening");
  const url = new URL(server.url);
  url.port = String((gate.address() as AddressInfo).port);
  gate.close();
  await once(gate, "close");

  const redis = openRedis(url.href, "fail-fast", () => {});
  const early = openQueues(redis);
  onTestFinished(async () => {
    await early.close();
    redis.disconnect();
    for (const socket of sockets) socket.destroy();
    gate.close();
  });
  const payload = imageJob("/early");
  const enqueue = () => early.enqueueClassify("birds", "interactive", [{ id: payload.id, payload }]);
  for (let times = 0; times < 2; times++) await expect(enqueue()).rejects.toThrow("max retries per request");
  gate.listen(Number(url.port), "127.0.0.1");
  const outcome = () =>
    enqueue().then(
      () => "taken",
      () => "refused",
    );
  await expect.poll(outcome, { timeout: 10_000 }).toBe("taken");
  expect(await queues.findClassification(["birds"], payload.id)).toMatchObject({ payload });
});
