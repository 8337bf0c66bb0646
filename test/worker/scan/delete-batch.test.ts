import { afterAll, beforeAll, expect, test } from "vitest";
import { redisKeys, storageKeys } from "../../../shared/keys.ts";
import { batchItemId } from "../../../shared/new-id.ts";
import { putBatch } from "../../../shared/state/batches.ts";
import { countChunk } from "../../../shared/state/count-chunk.ts";
import { deleteBatch } from "../../../worker/scan/delete-batch.ts";
import { batchRecord } from "../../support/labelling.ts";
import { openWorkerDeps } from "../../support/worker-deps.ts";
import type { WorkerTestDeps } from "../../support/worker-deps.ts";

let deps: WorkerTestDeps;
beforeAll(async () => {
  deps = await openWorkerDeps();
});
afterAll(() => deps.stop());

/** A batch with something of everything, in Redis and in storage. */
async function storedBatch() {
  const record = batchRecord();
  const { id } = record;
  await putBatch(deps.redis, record, 2);
  await countChunk(deps.redis, id, { number: 0, counts: { succeeded: 2 } });
  const keys = [
    storageKeys.batchItems(id),
    storageKeys.batchPage(id, 0),
    storageKeys.batchPart(id, 0),
    storageKeys.batchResults(id),
    storageKeys.batchErrors(id),
    storageKeys.batchManifest(id),
    storageKeys.upload(batchItemId(id, 0)),
    storageKeys.upload(batchItemId(id, 1)),
  ];
  for (const key of keys) await deps.storage.put(key, "{}", { contentType: "application/json" });
  return { id, keys, job: { kind: "delete", tenant: "default", batch_id: id } as const };
}
async function left() {
  const keys: string[] = [];
  for await (const { key } of deps.storage.list("")) keys.push(key);
  return keys.toSorted();
}

test("nothing is left of a batch, and all of its neighbour", async () => {
  const [gone, stays] = [await storedBatch(), await storedBatch()];
  await deleteBatch(gone.job, deps);
  expect(await left()).toEqual(stays.keys.toSorted());
  expect(await deps.redis.keys(`*${gone.id}*`)).toEqual([]);
  expect(await deps.redis.exists(redisKeys.batch(stays.id), redisKeys.batchChunks(stays.id))).toBe(2);
  await deleteBatch(stays.job, deps);
});

test("broken off anywhere, what tells of it is gone first, and done again it removes the rest", async () => {
  const away = new Error("storage is away");
  for (let works = 0; works < 9; works++) {
    const { job, keys, id } = await storedBatch();
    let allowed = works;
    const storage = {
      ...deps.storage,
      delete: async (key: string) => {
        if (allowed-- <= 0) throw away;
        await deps.storage.delete(key);
      },
    };
    const first = await deleteBatch(job, { ...deps, storage }).catch((error: unknown) => error);
    expect(first).toBe(works < keys.length ? away : undefined);
    const isTold = (await deps.storage.get(storageKeys.batchManifest(id))) !== undefined;
    expect(isTold).toBe(works === 0);
    await deleteBatch(job, deps);
    expect(await left()).toEqual([]);
  }
});
