import * as fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { ClassifyChunkPayload } from "../../../shared/contracts/queue-payloads.ts";
import { redisKeys, storageKeys } from "../../../shared/keys.ts";
import { newId } from "../../../shared/new-id.ts";
import { MAX_WAITING_CHUNKS, queueNames } from "../../../shared/queue.ts";
import { getBatchState, putBatch } from "../../../shared/state/batches.ts";
import { countChunk } from "../../../shared/state/count-chunk.ts";
import { newTraceparent } from "../../../shared/traceparent.ts";
import { enqueueChunks } from "../../../worker/scan/enqueue-chunks.ts";
import { batchRecord } from "../../support/labelling.ts";
import { readQueue } from "../../support/queue-reader.ts";
import { openWorkerDeps } from "../../support/worker-deps.ts";
import type { WorkerTestDeps } from "../../support/worker-deps.ts";

let deps: WorkerTestDeps;
beforeAll(async () => {
  deps = await openWorkerDeps();
});
afterAll(() => deps.stop());

async function newBatch(model: string, total: number) {
  const record = batchRecord({ model });
  const items = Array.from({ length: total }, (_, index) => ({
    index,
    custom_id: `n-${index}`,
    image: { type: "url", url: `https://images.example/${index}` },
  }));
  const lines = items.map((item) => `${JSON.stringify(item)}\n`).join("");
  await deps.storage.put(storageKeys.batchItems(record.id), lines, { contentType: "application/x-ndjson" });
  await putBatch(deps.redis, record, total);
  return { record, job: { kind: "enqueue", tenant: "default", batch_id: record.id } as const };
}

test("a batch is cut into chunks of 64 that carry every item once, and is in progress", async () => {
  const { record, job } = await newBatch("cut", 130);
  const traceparent = newTraceparent();
  await enqueueChunks({ ...job, traceparent }, deps);
  const jobs = await readQueue(deps.redis, queueNames.classify("cut", "bulk"));
  const chunks = jobs
    .map(({ payload }) => ClassifyChunkPayload.parse(payload))
    .toSorted((a, b) => a.chunk - b.chunk);
  expect(chunks.map(({ items }) => items.length)).toEqual([64, 64, 2]);
  const ids = chunks.flatMap(({ items }) => items.map(({ index, custom_id }) => [index, custom_id]));
  expect(ids).toEqual(Array.from({ length: 130 }, (_, index) => [index, `n-${index}`]));
  expect(chunks[0]).toMatchObject({
    batch_id: record.id,
    tenant: "default",
    model: "cut",
    top_k: 1,
    threshold: 0,
  });
  expect(new Set(chunks.map((chunk) => chunk.traceparent))).toEqual(new Set([traceparent]));
  const state = await getBatchState(deps.redis, record.id);
  expect(state).toMatchObject({
    chunks: 3,
    batch: { status: "in_progress", in_progress_at: expect.any(String) },
  });
});

test("done again after a crash, the same chunks are there once and the batch began when it began", async () => {
  const { record, job } = await newBatch("twice", 65);
  await enqueueChunks(job, deps);
  const first = await getBatchState(deps.redis, record.id);
  await new Promise((resolve) => setTimeout(resolve, 5));
  await enqueueChunks(job, deps);
  const jobs = await readQueue(deps.redis, queueNames.classify("twice", "bulk"));
  expect(jobs.map(({ id }) => id).toSorted()).toEqual([`${record.id}-0`, `${record.id}-1`]);
  expect((await getBatchState(deps.redis, record.id))?.batch.in_progress_at).toBe(
    first?.batch.in_progress_at,
  );
});

test("wherever it breaks off, the same items come out once and in their order when it is done again", async () => {
  const broken = new Error("broken off");
  const points = fc.array(fc.integer({ min: 0, max: 12 }), { maxLength: 4 });
  await fc.assert(
    fc.asyncProperty(points, fc.boolean(), async (countdowns, afterwards) => {
      const model = `m${newId("bat")}`;
      const total = 2 * 960 + 65;
      const { record, job } = await newBatch(model, total);
      /** What changes something breaks off before or after it was done, as often as there are countdowns. */
      const breakable = (left: number) => {
        const step = async <Result>(work: () => Promise<Result>): Promise<Result> => {
          const isIt = left-- === 0;
          if (isIt && !afterwards) throw broken;
          const result = await work();
          if (isIt) throw broken;
          return result;
        };
        const { queues, redis } = deps;
        return {
          ...deps,
          queues: {
            ...queues,
            enqueueClassify: (...args: Parameters<typeof queues.enqueueClassify>) =>
              step(() => queues.enqueueClassify(...args)),
          },
          redis: new Proxy(redis, {
            get: (target, name) =>
              name === "eval"
                ? (...args: Parameters<typeof target.eval>) => step(() => target.eval(...args))
                : (Reflect.get(target, name, target) as unknown),
          }),
        };
      };
      for (const left of countdowns)
        await enqueueChunks(job, breakable(left)).catch((error: unknown) => {
          if (error !== broken) throw error;
        });
      await enqueueChunks(job, deps);
      const jobs = await readQueue(deps.redis, queueNames.classify(model, "bulk"));
      const chunks = jobs
        .map(({ payload }) => ClassifyChunkPayload.parse(payload))
        .toSorted((a, b) => a.chunk - b.chunk);
      expect(chunks.flatMap(({ items }) => items.map(({ custom_id }) => custom_id))).toEqual(
        Array.from({ length: total }, (_, index) => `n-${index}`),
      );
      expect(await getBatchState(deps.redis, record.id)).toMatchObject({
        chunks: chunks.length,
        cursor: { items: total },
      });
    }),
    { numRuns: 15 },
  );
});

test("when the lane is full nothing is added and it puts itself off, until there is room again", async () => {
  const { record, job } = await newBatch("full", MAX_WAITING_CHUNKS * 64 + 1);
  for (let turn = 0; turn < 3; turn++) await enqueueChunks(job, deps);
  const waiting = await deps.queues.countWaiting("full", "bulk");
  expect(waiting).toBeLessThanOrEqual(MAX_WAITING_CHUNKS);
  expect(waiting).toBeGreaterThan(MAX_WAITING_CHUNKS - 30);
  expect(await enqueueChunks(job, deps)).toEqual({ putOffMs: 2_000 });
  expect(await deps.queues.countWaiting("full", "bulk")).toBe(waiting);
  expect((await getBatchState(deps.redis, record.id))?.chunks).toBeNull();
  const keys = await deps.redis.keys("{tresline}:classify.full.bulk:*");
  await deps.redis.del(...keys);
  expect(await enqueueChunks(job, deps)).toBeUndefined();
  expect((await getBatchState(deps.redis, record.id))?.chunks).toBe(MAX_WAITING_CHUNKS + 1);
});

test("Redis does not forget a batch that waits, however long", async () => {
  const { record, job } = await newBatch("patient", 1);
  await deps.redis.expire(redisKeys.batch(record.id), 60);
  await enqueueChunks(job, deps);
  expect(await deps.redis.ttl(redisKeys.batch(record.id))).toBeGreaterThan(29 * 86_400);
});

test("a batch all of whose chunks ended before the last page was listed is called to its end", async () => {
  const { record, job } = await newBatch("early", 1);
  const queues = {
    ...deps.queues,
    async enqueueClassify(...args: Parameters<typeof deps.queues.enqueueClassify>) {
      await deps.queues.enqueueClassify(...args);
      const counted = await countChunk(deps.redis, record.id, { number: 0, counts: { succeeded: 1 } });
      expect(counted.isLast).toBe(false);
    },
  };
  for (const _ of [1, 2]) await enqueueChunks(job, { ...deps, queues });
  const finishing = (await readQueue(deps.redis, queueNames.scan)).map(({ id }) => id);
  expect(finishing).toEqual([`${record.id}-finish`]);
});

test("a batch that nobody knows is an error that names it, and leaves nothing behind", async () => {
  const id = newId("bat");
  const job = { kind: "enqueue", tenant: "default", batch_id: id } as const;
  await expect(enqueueChunks(job, deps)).rejects.toThrow(id);
  expect(await deps.redis.keys(`*${id}*`)).toEqual([]);
});
