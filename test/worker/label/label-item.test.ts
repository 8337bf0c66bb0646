import pLimit from "p-limit";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { BatchResult } from "../../../shared/contracts/batch.ts";
import type { ClassifyChunkPayload } from "../../../shared/contracts/queue-payloads.ts";
import { storageKeys } from "../../../shared/keys.ts";
import { batchItemId, newId } from "../../../shared/new-id.ts";
import { putBatch, startBatch } from "../../../shared/state/batches.ts";
import { claimObject, releaseObject } from "../../../shared/state/object-claims.ts";
import { classifyChunk } from "../../../worker/classify/classify-chunk.ts";
import { labelItem } from "../../../worker/label/label-item.ts";
import { objectHash } from "../../../worker/label/object-record.ts";
import { fakeBucket } from "../../support/fake-bucket.ts";
import type { FakeBucket } from "../../support/fake-bucket.ts";
import { TEST_DIGEST, batchRecord, raven, swan, testLabelling } from "../../support/labelling.ts";
import { openWorkerDeps } from "../../support/worker-deps.ts";
import type { WorkerTestDeps } from "../../support/worker-deps.ts";

const FIRST = { number: 1, crashes: 0, isRepeated: false };
const BUCKET = "photos";
let deps: WorkerTestDeps;
let bucket: FakeBucket;
let labelerId: string;
beforeAll(async () => {
  deps = await openWorkerDeps();
});
afterAll(() => deps.stop());
beforeEach(() => {
  bucket = fakeBucket();
  labelerId = newId("lbl");
});

const classifyDeps = () => testLabelling({ ...deps, ...bucket }, {}).classifyDeps;
const listed = (key: string, etag?: string) => ({ type: "s3" as const, bucket: BUCKET, key, etag });
const labeler = () => ({ id: labelerId, write_back: "tags", on_error: "report", mode: "backfill" }) as const;

/** The job of the only chunk of a run that has begun. */
async function runChunk(images: ReturnType<typeof listed>[]) {
  const record = batchRecord({ id: newId("run"), labeler: labeler(), webhook: null });
  await putBatch(deps.redis, record, images.length);
  await startBatch(deps.redis, record.id);
  return {
    kind: "chunk",
    batch_id: record.id,
    labeler: labeler(),
    tenant: "default",
    model: "birds",
    top_k: 1,
    threshold: 0,
    chunk: 0,
    items: images.map((image, index) => ({ index, custom_id: image.key, image })),
  } satisfies ClassifyChunkPayload;
}
async function resultsOf(payload: ClassifyChunkPayload): Promise<BatchResult[]> {
  await classifyChunk(payload, FIRST, { ...classifyDeps(), inHand: pLimit(8) });
  const bytes = await deps.storage.get(storageKeys.batchPart(payload.batch_id, payload.chunk));
  const lines = new TextDecoder().decode(bytes).trimEnd().split("\n");
  return lines.map((line) => BatchResult.parse(JSON.parse(line)));
}

test("a run's results tell of each object which version it was, and what it was labelled before", async () => {
  const first = bucket.put("a.png", swan);
  const [fresh] = await resultsOf(await runChunk([listed("a.png", first)]));
  expect(fresh).toMatchObject({ status: "succeeded", etag: first, predictions: [{ label: "swan" }] });
  expect(fresh).not.toHaveProperty("previous");

  const second = bucket.put("a.png", raven);
  const text = bucket.put("text.png", Buffer.from("no image"));
  const payload = await runChunk([
    listed("a.png", second),
    listed("text.png", text),
    listed("gone.png", '"9"'),
  ]);
  const results = await resultsOf(payload);
  expect(results).toMatchObject([
    {
      custom_id: "a.png",
      id: batchItemId(payload.batch_id, 0),
      status: "succeeded",
      etag: second,
      predictions: [{ label: "raven" }],
      previous: { label: "swan", model_digest: TEST_DIGEST },
    },
    {
      status: "failed",
      etag: text,
      input: { type: "s3", bucket: BUCKET, key: "text.png" },
      predictions: null,
      error: { code: "invalid_image" },
    },
    { status: "failed", predictions: null, error: { code: "fetch_failed" } },
  ]);
  expect(bucket.tagsOf("a.png")).toContainEqual({ key: "tresline.label", value: "raven" });
});

test("an object whose version has its labels is skipped, and its line says so", async () => {
  const etag = bucket.put("a.png", swan);
  await resultsOf(await runChunk([listed("a.png", etag)]));
  const [again] = await resultsOf(await runChunk([listed("a.png", etag)]));
  expect(again).toMatchObject({ status: "skipped", etag, predictions: null, error: null });
  expect(bucket.written).toEqual(["tags a.png"]);
});

test("an object that another job has in hand is waited for", async () => {
  const etag = bucket.put("a.png", swan);
  const hash = await objectHash({ bucket: BUCKET, key: "a.png" });
  const other = { labelerId, object: hash, id: newId("cls") };
  await claimObject(deps.redis, other, { isRepeated: false });
  setTimeout(() => void releaseObject(deps.redis, other), 200);
  const [result] = await resultsOf(await runChunk([listed("a.png", etag)]));
  expect(result).toMatchObject({ status: "succeeded" });
});

test("an object whose turn has not come when the run is canceled is canceled, even while it waits", async () => {
  const etag = bucket.put("a.png", swan);
  const payload = await runChunk([listed("a.png", etag)]);
  const hash = await objectHash({ bucket: BUCKET, key: "a.png" });
  await claimObject(deps.redis, { labelerId, object: hash, id: newId("cls") }, { isRepeated: false });
  const controller = new AbortController();
  const item = { index: 0, custom_id: "a.png", image: listed("a.png", etag) };
  const labelled = labelItem(item, payload, FIRST, controller.signal, classifyDeps());
  setTimeout(() => controller.abort(new Error("It was canceled.")), 100);
  expect(await labelled).toMatchObject({ status: "canceled", input: { key: "a.png" }, predictions: null });
  expect(bucket.written).toEqual([]);
});

test("an item of a batch of no labeler is whatever is there now", async () => {
  const etag = bucket.put("a.png", swan);
  bucket.put("a.png", raven);
  const { labeler: _, ...payload } = await runChunk([listed("a.png", etag)]);
  const [result] = await resultsOf(payload);
  expect(result).toMatchObject({ status: "succeeded", predictions: [{ label: "raven" }] });
  expect(result).not.toHaveProperty("etag");
  expect(bucket.written).toEqual([]);
});
