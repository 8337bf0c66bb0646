import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { Batch } from "../../../shared/contracts/batch.ts";
import { DeliverPayload } from "../../../shared/contracts/queue-payloads.ts";
import { storageKeys } from "../../../shared/keys.ts";
import { queueNames } from "../../../shared/queue.ts";
import { getBatchState, putBatch } from "../../../shared/state/batches.ts";
import { startScan } from "../../../worker/scan/start.ts";
import { batchRecord } from "../../support/labelling.ts";
import { readQueue } from "../../support/queue-reader.ts";
import { openWorkerDeps } from "../../support/worker-deps.ts";
import type { WorkerTestDeps } from "../../support/worker-deps.ts";

let deps: WorkerTestDeps;
beforeAll(async () => {
  deps = await openWorkerDeps();
});
afterAll(() => deps.stop());

test("a batch whose source may not be read fails with the reason, in Redis, in storage and to who asked to be told", async () => {
  const record = batchRecord({ source: { type: "prefix", bucket: "private", prefix: "" } });
  const { id } = record;
  await putBatch(deps.redis, record, 0);
  const payload = { kind: "enqueue", tenant: "default", batch_id: id } as const;
  await deps.queues.enqueueScan({ id: `${id}-enqueue`, payload });
  const scanning = startScan(deps);
  await vi.waitFor(async () => expect((await getBatchState(deps.redis, id))?.batch.status).toBe("failed"));
  await scanning.close();
  const batch = (await getBatchState(deps.redis, id))?.batch;
  expect(batch).toMatchObject({
    failed_at: expect.any(String),
    completed_at: null,
    error: {
      code: "fetch_forbidden",
      detail: expect.stringContaining("S3_SOURCE_BUCKETS"),
      retryable: false,
    },
  });
  const manifest = new TextDecoder().decode(await deps.storage.get(storageKeys.batchManifest(id)));
  expect(Batch.parse(JSON.parse(manifest))).toEqual(batch);
  const [message, ...others] = await readQueue(deps.redis, queueNames.deliver);
  expect(others).toEqual([]);
  const { event_type, body } = DeliverPayload.parse(message?.payload);
  expect(event_type).toBe("batch.failed");
  expect(JSON.parse(body)).toMatchObject({ type: "batch.failed", data: { id, status: "failed" } });
});
