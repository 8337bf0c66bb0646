import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { readManifest } from "../../../shared/batch-manifest.ts";
import { Batch } from "../../../shared/contracts/batch.ts";
import { Run } from "../../../shared/contracts/labeler.ts";
import { DeliverPayload } from "../../../shared/contracts/queue-payloads.ts";
import { PermanentError } from "../../../shared/errors.ts";
import { storageKeys } from "../../../shared/keys.ts";
import { newId } from "../../../shared/new-id.ts";
import { queueNames } from "../../../shared/queue.ts";
import { getBatchState, putBatch } from "../../../shared/state/batches.ts";
import { toRun } from "../../../shared/state/runs.ts";
import { failBatch } from "../../../worker/scan/fail-batch.ts";
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
  const scanning = startScan({ ...deps, config: { RETENTION_DAYS: 0 } });
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

test("a labeler's run whose bucket may not be read fails as a run", async () => {
  const labeler = { id: newId("lbl"), write_back: "none", on_error: "report", mode: "backfill" } as const;
  const id = newId("run");
  const record = batchRecord({ id, labeler, source: { type: "prefix", bucket: "private", prefix: "" } });
  await putBatch(deps.redis, record, 0);
  const reason = new PermanentError("fetch_forbidden", "The bucket may not be read.");
  for (const _ of [1, 2]) await failBatch({ kind: "enqueue", tenant: "default", batch_id: id }, reason, deps);
  const messages = (await readQueue(deps.redis, queueNames.deliver)).map(({ payload }) =>
    DeliverPayload.parse(payload),
  );
  const [message, ...others] = messages.filter(({ body }) => body.includes(id));
  expect(others).toEqual([]);
  const { type, data } = JSON.parse(message?.body ?? "") as { type: string; data: unknown };
  expect(type).toBe("labeler.run.failed");
  expect(Run.parse(data)).toMatchObject({
    id,
    labeler_id: labeler.id,
    status: "failed",
    error: { code: "fetch_forbidden", detail: "The bucket may not be read." },
  });
  const ended = await readManifest(deps.storage, id);
  expect(ended && toRun(ended, { paused: true })).toEqual(data);
});
