import { fork } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { gzipSync } from "node:zlib";
import { PutObjectCommand } from "@aws-sdk/client-s3";
import type { S3Client } from "@aws-sdk/client-s3";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import type { BatchResult } from "../../../shared/contracts/batch.ts";
import { Run } from "../../../shared/contracts/labeler.ts";
import { ClassifyChunkPayload, DeliverPayload } from "../../../shared/contracts/queue-payloads.ts";
import { storageKeys } from "../../../shared/keys.ts";
import { batchItemId, newId } from "../../../shared/new-id.ts";
import { queueNames } from "../../../shared/queue.ts";
import { getBatchState, putBatch } from "../../../shared/state/batches.ts";
import { countChunk } from "../../../shared/state/count-chunk.ts";
import { putLabeler } from "../../../shared/state/labelers.ts";
import { consume } from "../../../worker/consume.ts";
import type { Consuming } from "../../../worker/consume.ts";
import { labelerRecord } from "../../support/labeler-record.ts";
import { TEST_DIGEST, batchRecord } from "../../support/labelling.ts";
import { readQueue } from "../../support/queue-reader.ts";
import { openWorkerDeps } from "../../support/worker-deps.ts";
import type { WorkerTestDeps } from "../../support/worker-deps.ts";
import { makeBuckets, useS3 } from "../../support/test-s3.ts";

const bucket = `inventory-${Date.now()}`;
const FILES = 3;
const FILE_ITEMS = 10_000;
const TOTAL = FILES * FILE_ITEMS;
const id = newId("run");
const keyOf = (index: number) => `photos/é ${index}.jpg`;
let deps: WorkerTestDeps;
let client: S3Client;
let labelling: Consuming | undefined;
let worker: ChildProcess | undefined;

beforeAll(async () => {
  useS3();
  client = await makeBuckets(bucket);
  deps = await openWorkerDeps();
  await putReport();
});
afterAll(async () => {
  worker?.kill("SIGKILL");
  await labelling?.close();
  await deps.stop();
  client.destroy();
  vi.unstubAllEnvs();
});

async function putReport(): Promise<void> {
  const put = (key: string, body: string | Uint8Array) =>
    client.send(new PutObjectCommand({ Bucket: bucket, Key: key, Body: body }));
  const files = Array.from({ length: FILES }, (_, file) => ({ key: `report/${file}.csv.gz` }));
  for (const [file, { key }] of files.entries()) {
    const lines = Array.from({ length: FILE_ITEMS }, (_, i) => {
      const encoded = encodeURIComponent(keyOf(file * FILE_ITEMS + i)).replaceAll("%20", "+");
      return `"${bucket}","${encoded}","9","0123"\n`;
    });
    await put(key, gzipSync(lines.join("")));
  }
  const manifest = { sourceBucket: bucket, fileFormat: "CSV", fileSchema: "Bucket, Key, Size, ETag", files };
  await put("report/manifest.json", JSON.stringify(manifest));
}

/** What stands for labelling: every tenth was a goose before, all are swans now. */
async function label({ chunk, items }: ClassifyChunkPayload): Promise<void> {
  const lines = items.map(({ custom_id, index }) => {
    const result: BatchResult = {
      custom_id,
      id: batchItemId(id, index),
      status: "succeeded",
      predictions: [{ index: 0, label: "swan", score: 0.9 }],
      error: null,
      model_digest: TEST_DIGEST,
      metrics: {},
      previous: { label: index % 10 === 0 ? "goose" : "swan", model_digest: TEST_DIGEST },
    };
    return `${JSON.stringify(result)}\n`;
  });
  const options = { contentType: "application/x-ndjson" };
  await deps.storage.putIfAbsent(storageKeys.batchPart(id, chunk), lines.join(""), options);
  const counts = { succeeded: items.length };
  const { isLast } = await countChunk(deps.redis, id, { number: chunk, counts });
  const payload = { kind: "finish", tenant: "default", batch_id: id } as const;
  if (isLast) await deps.queues.enqueueScan({ id: `${id}-finish`, payload });
}

const startWorker = async () => {
  worker = fork("test/support/scan-worker.ts", [deps.redisUrl, deps.storageUrl, bucket]);
  await once(worker, "message");
};
const stateOf = async () => getBatchState(deps.redis, id);
const soon = async (look: () => Promise<void>) => vi.waitFor(look, { timeout: 60_000, interval: 1 });
const stored = async (key: string) => new TextDecoder().decode(await deps.storage.get(key));

test("a relabelling of an inventory ends as it should although its worker is killed while it lists and while it finishes", async () => {
  const labeler = labelerRecord({ bucket });
  await putLabeler(deps.redis, labeler);
  const record = batchRecord({
    id,
    model: "relabelled",
    labeler: { id: labeler.id, write_back: "none", on_error: "report", mode: "relabel" },
    source: { type: "inventory", bucket, key: "report/manifest.json", of_bucket: bucket, prefix: "photos/" },
    output_formats: ["csv"],
  });
  await putBatch(deps.redis, record, 0);
  labelling = consume(deps, {
    queue: queueNames.classify("relabelled", "bulk"),
    payload: ClassifyChunkPayload,
    concurrency: 8,
    handle: label,
  });
  await startWorker();
  await deps.queues.enqueueScan({
    id: `${id}-enqueue`,
    payload: { kind: "enqueue", tenant: "default", batch_id: id },
  });
  await soon(async () => expect((await stateOf())?.cursor.items).toBeGreaterThan(FILE_ITEMS));
  worker?.kill("SIGKILL");
  expect((await stateOf())?.cursor.items).toBeLessThan(TOTAL);
  await startWorker();
  await soon(async () => expect((await stateOf())?.batch.status).toBe("finalizing"));
  worker?.kill("SIGKILL");
  expect((await stateOf())?.batch.status).toBe("finalizing");
  await startWorker();
  await soon(async () => expect((await stateOf())?.batch.status).toBe("completed"));

  const lines = (await stored(storageKeys.batchResults(id))).trimEnd().split("\n");
  const names = lines.map((line) => (JSON.parse(line) as BatchResult).custom_id);
  expect(names).toEqual(Array.from({ length: TOTAL }, (_, index) => keyOf(index)));
  const csv = (await stored(storageKeys.batchCsv(id))).trimEnd().split("\n");
  expect(csv.slice(1).map((row) => row.split(",")[0])).toEqual(names);
  const messages = (await readQueue(deps.redis, queueNames.deliver)).map(({ payload }) =>
    DeliverPayload.parse(payload),
  );
  expect(messages.map(({ event_type }) => event_type)).toEqual(["labeler.run.completed"]);
  const { data } = JSON.parse(messages[0]?.body ?? "") as { data: unknown };
  expect(Run.parse(data)).toMatchObject({
    id,
    labeler_id: labeler.id,
    status: "completed",
    request_counts: { total: TOTAL, succeeded: TOTAL, failed: 0, canceled: 0, skipped: 0 },
    report: {
      changed: TOTAL / 10,
      unchanged: (TOTAL * 9) / 10,
      changes: [{ from: "goose", to: "swan", count: TOTAL / 10 }],
    },
  });
}, 180_000);
