import { afterAll, beforeAll, expect, test } from "vitest";
import { ClassifyChunkPayload } from "../../../shared/contracts/queue-payloads.ts";
import { storageKeys } from "../../../shared/keys.ts";
import { newId } from "../../../shared/new-id.ts";
import { queueNames } from "../../../shared/queue.ts";
import { getBatchState, putBatch } from "../../../shared/state/batches.ts";
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
  await enqueueChunks(job, deps);
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

test("a batch that nobody knows is an error that names it, and leaves nothing behind", async () => {
  const id = newId("bat");
  const job = { kind: "enqueue", tenant: "default", batch_id: id } as const;
  await expect(enqueueChunks(job, deps)).rejects.toThrow(id);
  expect(await deps.redis.keys(`*${id}*`)).toEqual([]);
});
