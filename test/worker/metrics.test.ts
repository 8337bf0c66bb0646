import pLimit from "p-limit";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import type { ClassifyChunkPayload } from "../../shared/contracts/queue-payloads.ts";
import { PermanentError } from "../../shared/errors.ts";
import { newId } from "../../shared/new-id.ts";
import { putBatch, startBatch } from "../../shared/state/batches.ts";
import { putLabeler } from "../../shared/state/labelers.ts";
import { sealChunks } from "../../shared/state/count-chunk.ts";
import { createBatcher } from "../../worker/classify/batcher.ts";
import { classifyChunk } from "../../worker/classify/classify-chunk.ts";
import { MAX_ATTEMPTS, runClassification } from "../../worker/classify/run-classification.ts";
import { runObject } from "../../worker/label/run-object.ts";
import { createMetrics } from "../../worker/metrics.ts";
import type { WorkerMetrics } from "../../worker/metrics.ts";
import { failBatch } from "../../worker/scan/fail-batch.ts";
import { finishBatch } from "../../worker/scan/finish-batch.ts";
import { fakeBucket } from "../support/fake-bucket.ts";
import { fakeEngine, markedImage } from "../support/fake-engine.ts";
import { labelerRecord } from "../support/labeler-record.ts";
import { batchRecord, imageJob, swan, testLabelling } from "../support/labelling.ts";
import type { Answers } from "../support/labelling.ts";
import { valueOf } from "../support/read-exposition.ts";
import { scrapeMetrics, shownBy } from "../support/scrape-metrics.ts";
import { openWorkerDeps } from "../support/worker-deps.ts";
import type { WorkerTestDeps } from "../support/worker-deps.ts";

let opened: WorkerTestDeps;
let deps: WorkerTestDeps;
let metrics: WorkerMetrics;
beforeAll(async () => {
  opened = await openWorkerDeps();
});
afterAll(() => opened.stop());
// Each test counts from 0.
beforeEach(async () => {
  await opened.redis.flushall();
  metrics = createMetrics();
  deps = { ...opened, metrics };
});

/** How long an expectation is given that something else has to fulfil, in milliseconds. */
const SOON = { timeout: 10_000 };
const FIRST = { number: 1, crashes: 0, isRepeated: false };
const LAST = { number: MAX_ATTEMPTS, crashes: 0, isRepeated: true };
const answers: Answers = { "/swan": [swan], "/text": [Buffer.from("no image")], "/down": [503] };
const scrape = () => scrapeMetrics(metrics);
const shown = (name: string, labels?: Record<string, string>) => shownBy(metrics, name, labels);

/** The job of the only chunk of a batch of these images. */
async function chunkOf(paths: string[]): Promise<ClassifyChunkPayload> {
  const record = batchRecord({ webhook: null });
  await putBatch(deps.redis, record, paths.length);
  await startBatch(deps.redis, record.id);
  await sealChunks(deps.redis, record.id, 1);
  const items = paths.map((path, index) => ({
    index,
    custom_id: path,
    image: { type: "url" as const, url: `https://images.example${path}` },
  }));
  const common = { tenant: "default", model: "birds", top_k: 1, threshold: 0 };
  return { kind: "chunk", batch_id: record.id, chunk: 0, items, ...common };
}

test("an image that is labelled is counted, and where its time went is told stage by stage", async () => {
  await runClassification(imageJob("/swan"), FIRST, testLabelling(deps, answers).classifyDeps);
  const scraped = await scrape();
  const labels = { lane: "interactive", outcome: "succeeded", reason: "" };
  expect(valueOf(scraped, "tresline_images_total", labels)).toBe(1);
  for (const stage of ["queue", "fetch", "decode", "batch_wait", "inference", "store"])
    expect([stage, valueOf(scraped, "tresline_stage_seconds_count", { lane: "interactive", stage })]).toEqual(
      [stage, 1],
    );
  // The tests' images were created a second ago.
  const waited = valueOf(scraped, "tresline_stage_seconds_sum", { stage: "queue" });
  expect(waited).toBeGreaterThanOrEqual(1);
  expect(waited).toBeLessThan(100);
});

test("an image without labels is counted with its reason, once however often it was tried", async () => {
  const { classifyDeps } = testLabelling(deps, answers);
  await runClassification(imageJob("/text"), FIRST, classifyDeps);
  const down = imageJob("/down", { priority: "bulk" });
  await expect(runClassification(down, FIRST, classifyDeps)).rejects.toThrow("503");
  await runClassification(down, LAST, classifyDeps);
  const scraped = await scrape();
  expect(scraped.get("tresline_images_total")?.samples["tresline_images_total"]).toEqual([
    { labels: { lane: "interactive", outcome: "failed", reason: "invalid_image" }, value: 1 },
    { labels: { lane: "bulk", outcome: "failed", reason: "fetch_failed" }, value: 1 },
  ]);
});

test("a result that an earlier try stored is not counted again", async () => {
  const { classifyDeps } = testLabelling(deps, answers);
  const job = imageJob("/swan");
  await runClassification(job, FIRST, classifyDeps);
  await runClassification(job, { number: 2, crashes: 0, isRepeated: true }, classifyDeps);
  expect(await shown("tresline_images_total")).toBe(1);
});

test("a chunk counts each of its images in the bulk lane, and itself; the end of its batch is counted, too", async () => {
  const payload = await chunkOf(["/swan", "/swan", "/text"]);
  const { classifyDeps } = testLabelling(deps, answers);
  await classifyChunk(payload, FIRST, { ...classifyDeps, inHand: pLimit(8) });
  await finishBatch({ kind: "finish", tenant: "default", batch_id: payload.batch_id }, deps);
  const scraped = await scrape();
  const images = { lane: "bulk", outcome: "succeeded" };
  expect(valueOf(scraped, "tresline_images_total", images)).toBe(2);
  expect(valueOf(scraped, "tresline_images_total", { outcome: "failed", reason: "invalid_image" })).toBe(1);
  expect(valueOf(scraped, "tresline_chunks_total")).toBe(1);
  expect(valueOf(scraped, "tresline_stage_seconds_count", { lane: "bulk", stage: "store" })).toBe(1);
  expect(valueOf(scraped, "tresline_stage_seconds_count", { lane: "bulk", stage: "fetch" })).toBe(2);
  expect(valueOf(scraped, "tresline_batches_total", { outcome: "completed" })).toBe(1);
});

test("a batch that fails is counted", async () => {
  const record = batchRecord({ webhook: null });
  await putBatch(deps.redis, record, 0);
  const payload = { kind: "enqueue", tenant: "default", batch_id: record.id } as const;
  await failBatch(payload, new PermanentError("fetch_failed", "There is no such manifest."), deps);
  expect(await shown("tresline_batches_total", { outcome: "failed" })).toBe(1);
});

test("an object of a labeler is counted as an object, by how it came, and as an image", async () => {
  const bucket = fakeBucket();
  bucket.put("a.png", swan);
  const { classifyDeps } = testLabelling({ ...deps, ...bucket }, {});
  const id = newId("cls");
  const record = labelerRecord();
  await putLabeler(deps.redis, record);
  const labeler = { id: record.id, write_back: "none", on_error: "report", mode: "live" } as const;
  const object = {
    id,
    tenant: "default",
    model: "birds",
    top_k: 1,
    threshold: 0,
    bucket: "photos",
    key: "a.png",
  };
  await runObject({ ...object, labeler }, FIRST, classifyDeps);
  const scraped = await scrape();
  expect(valueOf(scraped, "tresline_objects_total", { mode: "live", outcome: "succeeded" })).toBe(1);
  expect(valueOf(scraped, "tresline_images_total", { lane: "bulk", outcome: "succeeded" })).toBe(1);
});

test("a micro-batch tells its images, how full its rung was and how long the engine ran", async () => {
  const { engine, runs } = fakeEngine(4);
  const batcher = createBatcher(engine, { maxWaitMs: 0, onRan: metrics.microBatchRan });
  const classified = [1, 2, 3, 4].map((mark) =>
    batcher.classify({ lane: "bulk", tenant: "a" }, async () => markedImage(mark)),
  );
  await expect.poll(() => runs.length, SOON).toBe(1);
  runs[0]?.finish(20);
  await expect.poll(() => runs.length, SOON).toBe(2);
  runs[1]?.finish(2_000);
  await Promise.all(classified);
  const scraped = await scrape();
  expect(valueOf(scraped, "tresline_micro_batch_images_sum")).toBe(4);
  expect(valueOf(scraped, "tresline_micro_batch_images_count")).toBe(2);
  expect(valueOf(scraped, "tresline_micro_batch_fill_ratio_sum")).toBe(1 + 3 / 4);
  expect(valueOf(scraped, "tresline_engine_seconds_sum", { rung: "1" })).toBe(0.02);
  expect(valueOf(scraped, "tresline_engine_seconds_sum", { rung: "4" })).toBe(2);
});
