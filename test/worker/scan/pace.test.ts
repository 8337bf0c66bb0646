import { afterAll, afterEach, beforeAll, expect, test, vi } from "vitest";
import { newId } from "../../../shared/new-id.ts";
import { queueNames } from "../../../shared/queue.ts";
import { getBatchState, putBatch } from "../../../shared/state/batches.ts";
import { activate, pause, putLabeler } from "../../../shared/state/labelers.ts";
import type { SourceBuckets } from "../../../shared/storage/source-buckets.ts";
import { enqueueChunks } from "../../../worker/scan/enqueue-chunks.ts";
import { labelerRecord } from "../../support/labeler-record.ts";
import { batchRecord } from "../../support/labelling.ts";
import { openWorkerDeps } from "../../support/worker-deps.ts";
import type { WorkerTestDeps } from "../../support/worker-deps.ts";

let deps: WorkerTestDeps;
let started = 0;
beforeAll(async () => {
  deps = await openWorkerDeps();
});
afterAll(() => deps.stop());
afterEach(() => vi.useRealTimers());

/** A bucket of so many objects. */
function bucketOf(total: number): SourceBuckets {
  const keys = Array.from({ length: total }, (_, i) => String(i).padStart(6, "0"));
  return {
    ...deps.buckets,
    async list(_bucket, _prefix, { after, limit }) {
      const rest = keys.filter((key) => key > after);
      const objects = rest.slice(0, limit).map((key) => ({ key, size: 1, etag: `"${key}"` }));
      return { objects, isLast: rest.length <= limit };
    },
  };
}

/** A run over a bucket of so many objects at so many a second, and a worker that does its job at a time in seconds after its beginning. */
async function newRun(total: number, imagesPerSecond?: number) {
  const labeler = labelerRecord();
  await putLabeler(deps.redis, labeler);
  const id = newId("run");
  const record = batchRecord({
    id,
    model: `paced-${started++}`,
    labeler: { id: labeler.id, write_back: "none", on_error: "report", mode: "backfill" },
    source: { type: "prefix", bucket: labeler.bucket, prefix: "" },
    images_per_second: imagesPerSecond,
  });
  await putBatch(deps.redis, record, 0);
  const work = { ...deps, buckets: bucketOf(total) };
  const start = Date.now();
  return {
    labeler,
    work,
    look: (workDeps = work) => enqueueChunks({ kind: "enqueue", tenant: "default", batch_id: id }, workDeps),
    at: (seconds: number) =>
      void vi.useFakeTimers({ toFake: ["Date"], now: start + Math.round(seconds * 1_000) }),
    listed: async () => (await getBatchState(deps.redis, id))?.cursor.items,
    waiting: () => deps.queues.countWaiting(record.model, "bulk"),
    model: record.model,
  };
}

test("a run enqueues ten seconds' worth at a time and then waits for as long, looking every two seconds", async () => {
  const { at, look, listed } = await newRun(20, 0.5);
  at(0);
  expect(await look()).toEqual({ putOffMs: 2_000 });
  expect(await listed()).toBe(5);
  at(9.5);
  expect(await look()).toEqual({ putOffMs: 500 });
  expect(await listed()).toBe(5);
  for (const [seconds, items] of [
    [10, 10],
    [20, 15],
    [30, 20],
  ] as const) {
    at(seconds);
    expect(await look()).toEqual({ putOffMs: 2_000 });
    expect(await listed()).toBe(items);
  }
  at(40);
  expect(await look()).toBeUndefined();
});

test("whatever its pace, no second of it has more than it may on average, and a fast one has whole pages", async () => {
  const { at, look, listed } = await newRun(3_000, 500);
  at(0);
  await look();
  expect(await listed()).toBe(960);
  at(1.91);
  await look();
  expect(await listed()).toBe(960);
  at(1.93);
  await look();
  expect(await listed()).toBe(1_920);
});

test("what a worker was away for is not caught up in a burst", async () => {
  const { at, look, listed } = await newRun(1_000, 1);
  at(0);
  await look();
  at(500);
  await look();
  await look();
  expect(await listed()).toBe(20);
});

test("while its labeler is paused a run lists nothing, and what is queued stays; then it goes on where it was", async () => {
  const { at, look, listed, waiting, labeler } = await newRun(30, 1);
  at(0);
  await look();
  await pause(deps.redis, labeler.id);
  for (const seconds of [10, 500]) {
    at(seconds);
    expect(await look()).toEqual({ putOffMs: 2_000 });
    expect(await listed()).toBe(10);
    expect(await waiting()).toBe(1);
  }
  await activate(deps.redis, labeler.id);
  await look();
  await look();
  expect(await listed()).toBe(20);
});

test("a run that is paused before it began lists nothing either", async () => {
  const { look, listed, waiting, labeler } = await newRun(30);
  await pause(deps.redis, labeler.id);
  expect(await look()).toEqual({ putOffMs: 2_000 });
  expect([await listed(), await waiting()]).toEqual([0, 0]);
});

test("a worker that was killed while it enqueued a page has that page enqueued once, and the pace held after it", async () => {
  const { at, look, listed, work, model } = await newRun(30, 1);
  const { queues } = deps;
  const killed = {
    ...work,
    queues: {
      ...queues,
      async enqueueClassify(...args: Parameters<typeof queues.enqueueClassify>) {
        await queues.enqueueClassify(...args);
        throw new Error("killed");
      },
    },
  };
  at(0);
  await expect(look(killed)).rejects.toThrow("killed");
  at(3);
  expect(await look()).toEqual({ putOffMs: 2_000 });
  expect(await listed()).toBe(10);
  at(12);
  await look();
  expect(await listed()).toBe(10);
  at(13);
  await look();
  expect(await listed()).toBe(20);
  expect(await deps.redis.llen(`{tresline}:${queueNames.classify(model, "bulk")}:wait`)).toBe(2);
});

test("a run without a pace lists on until it is through", async () => {
  const { look, listed } = await newRun(2_000);
  expect(await look()).toBeUndefined();
  expect(await listed()).toBe(2_000);
});
