import { fork } from "node:child_process";
import { once } from "node:events";
import { Queue } from "bullmq";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { z } from "zod";
import { REDIS_PREFIX } from "../../shared/keys.ts";
import { queueNames } from "../../shared/queue.ts";
import { consume } from "../../worker/consume.ts";
import type { Attempt, Consumer, Consuming } from "../../worker/consume.ts";
import { openWorkerDeps } from "../support/worker-deps.ts";
import type { WorkerTestDeps } from "../support/worker-deps.ts";

const Payload = z.object({ name: z.string() });
type PayloadConsumer = Consumer<typeof Payload>;

let deps: WorkerTestDeps;
const open: (Consuming | Queue)[] = [];
beforeAll(async () => {
  deps = await openWorkerDeps();
});
afterAll(async () => {
  await Promise.all(open.map((each) => each.close()));
  await deps.stop();
});

/** Consumes the bulk queue of a model of the test's own. */
function consumeOf(model: string, options: Partial<PayloadConsumer> & Pick<PayloadConsumer, "handle">) {
  const consuming = consume(deps, {
    queue: queueNames.classify(model, "bulk"),
    payload: Payload,
    concurrency: 1,
    ...options,
  });
  open.push(consuming);
  return consuming;
}
// What the queue carries does not matter here, only what it does with it.
const enqueue = (model: string, ...payloads: unknown[]) =>
  deps.queues.enqueueClassify(
    model,
    "bulk",
    payloads.map((payload, i) => ({ id: `job-${i}`, payload: payload as never })),
  );
function queueOf(model: string): Queue {
  const queue = new Queue(queueNames.classify(model, "bulk"), {
    connection: deps.redis,
    prefix: REDIS_PREFIX,
  });
  open.push(queue);
  return queue;
}
const eventually = (check: () => Promise<void> | void, timeout = 5_000) =>
  vi.waitFor(check, { timeout, interval: 20 });

test("a job is handed over parsed, once, and is done when its handler is", async () => {
  const handle = vi.fn<PayloadConsumer["handle"]>(async () => {});
  consumeOf("parsed", { handle });
  await enqueue("parsed", { name: "one", more: "is left out" });
  await eventually(async () => expect(await queueOf("parsed").getJob("job-0")).toBeUndefined());
  expect(handle.mock.calls).toEqual([[{ name: "one" }, { number: 1, crashes: 0, isRepeated: false }]]);
});

test("what is not a payload of the queue is never handled and never tried again, and is logged at error", async () => {
  const handle = vi.fn<PayloadConsumer["handle"]>(async () => {});
  consumeOf("invalid", { handle, retryAfterMs: () => 1 });
  await enqueue("invalid", { name: 7 });
  await eventually(async () => expect(await queueOf("invalid").getFailedCount()).toBe(1));
  expect(handle).not.toHaveBeenCalled();
  const line = deps.log.find(({ queue }) => queue === queueNames.classify("invalid", "bulk"));
  expect(line).toMatchObject({ level: "error", msg: "job given up", id: "job-0", attempt: 1 });
  expect(line?.["reason"]).toContain("Not a payload of classify.invalid.bulk");
});

test("what a handler throws makes its job be tried again, later each time as the handler's errors ask for", async () => {
  const attempts: Attempt[] = [];
  const asked: [number, string][] = [];
  consumeOf("retried", {
    handle: async (_, attempt) => {
      attempts.push(attempt);
      if (attempt.number < 4) throw new Error(`trouble ${attempt.number}`);
    },
    retryAfterMs: (number, { message }) => {
      asked.push([number, message]);
      return 5;
    },
  });
  await enqueue("retried", { name: "one" });
  await eventually(async () => expect(await queueOf("retried").getJob("job-0")).toBeUndefined());
  expect(attempts.map(({ number, crashes }) => [number, crashes])).toEqual(
    [1, 2, 3, 4].map((number) => [number, 0]),
  );
  expect(asked).toEqual([1, 2, 3].map((number) => [number, `trouble ${number}`]));
});

test("a job that is put off is taken up again after that time, and no attempt of it is used up", async () => {
  const attempts: number[] = [];
  const times: number[] = [];
  consumeOf("put-off", {
    handle: async (_, { number }) => {
      attempts.push(number);
      times.push(performance.now());
      return attempts.length < 3 ? { putOffMs: 100 } : undefined;
    },
  });
  await enqueue("put-off", { name: "one" });
  await eventually(async () => expect(await queueOf("put-off").getJob("job-0")).toBeUndefined());
  expect(attempts).toEqual([1, 1, 1]);
  expect((times[2] ?? 0) - (times[0] ?? 0)).toBeGreaterThan(150);
  expect(deps.log.filter(({ queue }) => queue === queueNames.classify("put-off", "bulk"))).toEqual([]);
});

test("without a schedule of its own a job waits for about a second after its first try", async () => {
  consumeOf("backoff", { handle: () => Promise.reject(new Error("not now")) });
  await enqueue("backoff", ...Array.from({ length: 20 }, () => ({ name: "one" })));
  const delays = await vi.waitFor(async () => {
    const jobs = await queueOf("backoff").getDelayed();
    expect(jobs.length).toBeGreaterThan(10);
    return jobs.map(({ delay }) => delay);
  });
  expect(Math.min(...delays)).toBeGreaterThanOrEqual(750);
  expect(Math.max(...delays)).toBeLessThanOrEqual(1_000);
  expect(new Set(delays).size).toBeGreaterThan(1);
});

test("one job that fails does not hold up the others", async () => {
  const done: string[] = [];
  consumeOf("others", {
    handle: async ({ name }) => {
      if (name === "bad") throw new Error("not now");
      done.push(name);
    },
    retryAfterMs: () => 60_000,
  });
  await enqueue("others", { name: "bad" }, { name: "good" }, { name: "better" });
  await eventually(() => expect(done).toEqual(["good", "better"]));
});

test("closing takes no more jobs and waits for those in hand", async () => {
  const { promise: mayFinish, resolve: finish } = Promise.withResolvers<void>();
  const names: string[] = [];
  const consuming = consumeOf("closing", {
    handle: async ({ name }) => {
      names.push(name);
      await mayFinish;
    },
  });
  await enqueue("closing", { name: "in hand" }, { name: "not taken" });
  await eventually(() => expect(names).toEqual(["in hand"]));
  let isClosed = false;
  const closed = consuming.close().then(() => (isClosed = true));
  await new Promise((resolve) => setTimeout(resolve, 100));
  expect(isClosed).toBe(false);
  finish();
  await closed;
  const counts = await queueOf("closing").getJobCounts("wait", "active");
  expect(counts).toEqual({ wait: 1, active: 0 });
  expect(names).toEqual(["in hand"]);
});

test("what is not done at the deadline is handed back: another worker has it at once, and no attempt and no crash is counted", async () => {
  const { promise: mayFinish, resolve: finish } = Promise.withResolvers<void>();
  const names: string[] = [];
  const first = consumeOf("handed-back", {
    concurrency: 2,
    handle: async ({ name }) => {
      names.push(name);
      await (name === "quick" ? mayFinish : new Promise(() => {}));
    },
  });
  await enqueue("handed-back", { name: "quick" }, { name: "endless" });
  await eventually(() => expect(names).toEqual(["quick", "endless"]));
  const attempts: [string, Attempt][] = [];
  consumeOf("handed-back", { handle: async ({ name }, attempt) => void attempts.push([name, attempt]) });
  const deadline = new AbortController();
  const stopped = first.stop(deadline.signal);
  finish();
  await eventually(async () => expect(await queueOf("handed-back").getJob("job-0")).toBeUndefined());
  expect(attempts).toEqual([]);
  deadline.abort();
  expect(await stopped).toEqual({ finished: 1, handedBack: 1 });
  await eventually(() =>
    expect(attempts).toEqual([["endless", { number: 1, crashes: 0, isRepeated: true }]]),
  );
  await eventually(async () => expect(await queueOf("handed-back").getJob("job-1")).toBeUndefined());
});

test("who is told to stop after the deadline hands back all that is in hand", async () => {
  const handle = vi.fn<PayloadConsumer["handle"]>(() => new Promise(() => {}));
  const consuming = consumeOf("late", { concurrency: 3, handle });
  await enqueue("late", { name: "one" }, { name: "two" }, { name: "three" });
  await eventually(() => expect(handle).toHaveBeenCalledTimes(3));
  expect(await consuming.stop(AbortSignal.abort())).toEqual({ finished: 0, handedBack: 3 });
  expect(await queueOf("late").getJobCounts("wait", "active")).toEqual({ wait: 3, active: 0 });
});

test("the job of a killed worker goes to another, which is told of the crash; a crash uses up no attempt", async () => {
  await enqueue("crash", { name: "one" });
  const entry = new URL("../support/crashing-worker.ts", import.meta.url);
  const child = fork(entry, [queueNames.classify("crash", "bulk"), deps.redisUrl]);
  await once(child, "message");
  child.kill("SIGKILL");
  await once(child, "exit");
  const attempts: Attempt[] = [];
  consumeOf("crash", {
    handle: async (_, attempt) => {
      attempts.push(attempt);
      if (attempts.length === 1) throw new Error("not now");
    },
    retryAfterMs: () => 5,
  });
  await eventually(() => expect(attempts).toHaveLength(2), 28_000);
  expect(attempts).toMatchObject([
    { number: 1, crashes: 1, isRepeated: true },
    { number: 2, crashes: 1, isRepeated: true },
  ]);
  expect(deps.log).toContainEqual(
    expect.objectContaining({ id: "job-0", msg: "taken over from a worker that is gone" }),
  );
});
