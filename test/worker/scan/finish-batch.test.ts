import { afterAll, beforeAll, expect, test } from "vitest";
import { readManifest } from "../../../shared/batch-manifest.ts";
import { Batch, BatchResult } from "../../../shared/contracts/batch.ts";
import { DeliverPayload } from "../../../shared/contracts/queue-payloads.ts";
import { storageKeys } from "../../../shared/keys.ts";
import { batchItemId, messageId, newId } from "../../../shared/new-id.ts";
import { queueNames } from "../../../shared/queue.ts";
import { getBatchState, putBatch, startBatch } from "../../../shared/state/batches.ts";
import { countChunk, sealChunks } from "../../../shared/state/count-chunk.ts";
import { claimPage } from "../../../shared/state/scan-cursor.ts";
import { expireBatch, requestCancel } from "../../../shared/state/stop-batch.ts";
import { toRun } from "../../../shared/state/runs.ts";
import { newTraceparent, traceIdOf } from "../../../shared/traceparent.ts";
import { finishBatch } from "../../../worker/scan/finish-batch.ts";
import { TEST_DIGEST, batchRecord } from "../../support/labelling.ts";
import { readQueue } from "../../support/queue-reader.ts";
import { openWorkerDeps } from "../../support/worker-deps.ts";
import type { WorkerTestDeps } from "../../support/worker-deps.ts";

let deps: WorkerTestDeps;
beforeAll(async () => {
  deps = await openWorkerDeps();
});
afterAll(() => deps.stop());

const line = (batchId: string, index: number, status: "succeeded" | "failed") =>
  `${JSON.stringify({
    custom_id: `named "status":"failed" ${index}`,
    id: batchItemId(batchId, index),
    status,
    predictions: status === "succeeded" ? [] : null,
    error: null,
    model_digest: TEST_DIGEST,
    metrics: {},
    previous: { label: "swan", model_digest: TEST_DIGEST },
  })}\n`;

/** How far a batch is listed whose first item is its first chunk. */
const LISTED = { chunks: 1, items: 1, position: "" };

/** A batch whose two chunks are done: items 0 to 2, of which 1 failed, and 3. */
async function doneBatch(more: Parameters<typeof batchRecord>[0] = {}) {
  const record = batchRecord(more);
  const { id } = record;
  await putBatch(deps.redis, record, 4);
  await startBatch(deps.redis, id);
  await sealChunks(deps.redis, id, 2);
  const lines = (["succeeded", "failed", "succeeded", "succeeded"] as const).map((status, i) =>
    line(id, i, status),
  );
  const parts = [lines.slice(0, 3).join(""), lines.slice(3).join("")];
  for (const [chunk, part] of parts.entries())
    await deps.storage.put(storageKeys.batchPart(id, chunk), part, { contentType: "application/x-ndjson" });
  await countChunk(deps.redis, id, { number: 0, counts: { succeeded: 2, failed: 1 } });
  await countChunk(deps.redis, id, { number: 1, counts: { succeeded: 1 } });
  return { id, lines, record, job: { kind: "finish", tenant: "default", batch_id: id } as const };
}
const stored = async (key: string) => new TextDecoder().decode(await deps.storage.get(key));
const everythingStored = (id: string) =>
  Promise.all(
    [storageKeys.batchResults(id), storageKeys.batchErrors(id), storageKeys.batchManifest(id)].map(stored),
  );

test("results are the parts in their order, errors those that failed, and the manifest is the finished batch", async () => {
  const { id, lines, job } = await doneBatch();
  await finishBatch(job, deps);
  const [results, errors, manifest] = await everythingStored(id);
  expect(results).toBe(lines.join(""));
  expect(errors).toBe(lines[1]);
  const batch = Batch.parse(JSON.parse(manifest ?? ""));
  expect(batch).toMatchObject({
    id,
    status: "completed",
    progress: 1,
    eta_seconds: null,
    request_counts: { total: 4, succeeded: 3, failed: 1, canceled: 0 },
  });
  expect(batch.completed_at).toBe(batch.finalizing_at);
  expect(JSON.parse(manifest ?? "")).toMatchObject({ tenant: "default" });
  expect((await getBatchState(deps.redis, id))?.batch).toEqual(batch);
});

test("results are there in each format that was asked for and in no other", async () => {
  const { id, job } = await doneBatch({ output_formats: ["csv"] });
  await finishBatch(job, deps);
  expect(await stored(storageKeys.batchCsv(id))).toMatch(/^custom_id,.*\n(?:.*\n){4}$/);
  expect(await deps.storage.get(storageKeys.batchParquet(id))).toBeUndefined();
});

test("a run that relabels reports what has changed, in Redis as in storage; one that fills up does not", async () => {
  for (const mode of ["relabel", "backfill"] as const) {
    const labeler = { id: newId("lbl"), write_back: "none", on_error: "report", mode } as const;
    const { id, job } = await doneBatch({ id: newId("run"), labeler });
    await finishBatch(job, deps);
    const state = await getBatchState(deps.redis, id);
    const ended = await readManifest(deps.storage, id);
    const report = { changed: 3, unchanged: 0, changes: [{ from: "swan", to: null, count: 3 }] };
    const run = { id, object: "labeler.run", report: mode === "relabel" ? report : null };
    for (const found of [state, ended]) expect(found && toRun(found, { paused: false })).toMatchObject(run);
  }
});

test("its end is announced, under an id that derives from it and in its trace, and told by one line", async () => {
  const { id, job } = await doneBatch();
  const traceparent = newTraceparent();
  await finishBatch({ ...job, traceparent }, deps);
  const messages = (await readQueue(deps.redis, queueNames.deliver)).map(({ payload }) =>
    DeliverPayload.parse(payload),
  );
  const [message, ...others] = messages.filter(({ body }) => body.includes(id));
  expect(others).toEqual([]);
  expect(message?.message_id).toBe(await messageId(id, "batch.completed", "https://client.example/hook"));
  expect(message?.traceparent).toBe(traceparent);
  expect(deps.log.filter((each) => each["id"] === id)).toEqual([
    expect.objectContaining({
      msg: "batch",
      trace_id: traceIdOf(traceparent),
      tenant: "default",
      status: "completed",
      total: 4,
      succeeded: 3,
      failed: 1,
      total_ms: expect.any(Number),
    }),
  ]);
  expect(JSON.parse(message?.body ?? "")).toMatchObject({
    type: "batch.completed",
    data: { id, status: "completed", request_counts: { succeeded: 3, failed: 1 } },
  });
});

test("done again after a crash it writes the same bytes and tells it once", async () => {
  const { id, job } = await doneBatch();
  const queues = { ...deps.queues, enqueueDeliver: () => Promise.reject(new Error("Redis is away")) };
  await expect(finishBatch(job, { ...deps, queues })).rejects.toThrow("Redis is away");
  const first = await everythingStored(id);
  expect((await getBatchState(deps.redis, id))?.batch.status).toBe("finalizing");
  await new Promise((resolve) => setTimeout(resolve, 5));
  await finishBatch(job, deps);
  expect(await everythingStored(id)).toEqual(first);
  const messages = (await readQueue(deps.redis, queueNames.deliver)).filter(({ payload }) =>
    DeliverPayload.parse(payload).body.includes(id),
  );
  expect(messages).toHaveLength(1);
});

test("done again after its end it does nothing: a completed batch is never seen unfinished", async () => {
  const { id, job } = await doneBatch();
  await finishBatch(job, deps);
  const completed = await getBatchState(deps.redis, id);
  await deps.storage.delete(storageKeys.batchPart(id, 0));
  await finishBatch(job, deps);
  expect(await getBatchState(deps.redis, id)).toEqual(completed);
});

test("a part that is missing is an error that names it, and the batch does not end without it", async () => {
  const { id, job } = await doneBatch();
  await deps.storage.delete(storageKeys.batchPart(id, 1));
  await expect(finishBatch(job, deps)).rejects.toThrow(storageKeys.batchPart(id, 1));
  expect((await getBatchState(deps.redis, id))?.batch.status).toBe("finalizing");
});

test("a batch that nobody knows is an error that names it, and leaves nothing behind", async () => {
  const id = newId("bat");
  await expect(finishBatch({ kind: "finish", tenant: "default", batch_id: id }, deps)).rejects.toThrow(id);
  expect(await deps.redis.keys(`*${id}*`)).toEqual([]);
});

test("items of a request that were never listed have their lines too when it is stopped, in all formats", async () => {
  for (const as of ["canceled", "expired"] as const) {
    const record = batchRecord({ output_formats: ["csv", "parquet"] });
    const { id } = record;
    const items = Array.from({ length: 1_000 }, (_, index) => ({
      index,
      custom_id: `n-${index}`,
      image: { type: "data", key: `uploads/up_${index}`, media_type: "image/png", bytes: 7 },
    }));
    const file = items.map((item) => `${JSON.stringify(item)}\n`).join("");
    await deps.storage.put(storageKeys.batchItems(id), file, { contentType: "" });
    await putBatch(deps.redis, record, items.length);
    await startBatch(deps.redis, id);
    await claimPage(deps.redis, id, { chunks: 0, items: 0, position: "" }, LISTED);
    await (as === "canceled" ? requestCancel : expireBatch)(deps.redis, id);
    await deps.storage.put(storageKeys.batchPart(id, 0), line(id, 0, "succeeded"), { contentType: "" });
    await countChunk(deps.redis, id, { number: 0, counts: { succeeded: 1 } });
    await finishBatch({ kind: "finish", tenant: "default", batch_id: id }, deps);
    const lines = (await stored(storageKeys.batchResults(id))).trimEnd().split("\n");
    const results = lines.map((each) => BatchResult.parse(JSON.parse(each)));
    expect(results).toHaveLength(1_000);
    expect(results.at(-1)).toMatchObject({
      custom_id: "n-999",
      id: batchItemId(id, 999),
      status: "canceled",
      input: { type: "data", upload_id: "up_999" },
      error: { code: as === "canceled" ? "canceled" : "deadline_exceeded" },
      model_digest: null,
    });
    expect(await stored(storageKeys.batchErrors(id))).toBe(`${lines.slice(1).join("\n")}\n`);
    expect((await stored(storageKeys.batchCsv(id))).trimEnd().split("\n")).toHaveLength(1_001);
    const ended = await readManifest(deps.storage, id);
    expect(ended).toMatchObject({
      rest: null,
      batch: { status: as, request_counts: { total: 1_000, succeeded: 1, canceled: 999 } },
    });
  }
});
