import pLimit from "p-limit";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { z } from "zod";
import type { ClassifyChunkPayload, DeliverPayload } from "../../shared/contracts/queue-payloads.ts";
import { PermanentError } from "../../shared/errors.ts";
import { redisKeys } from "../../shared/keys.ts";
import { messageId, newId } from "../../shared/new-id.ts";
import { queueNames } from "../../shared/queue.ts";
import { announceModel } from "../../shared/state/models.ts";
import { putBatch, startBatch } from "../../shared/state/batches.ts";
import { putLabeler } from "../../shared/state/labelers.ts";
import { sealChunks } from "../../shared/state/count-chunk.ts";
import { createBatcher } from "../../worker/classify/batcher.ts";
import { classifyChunk } from "../../worker/classify/classify-chunk.ts";
import { MAX_ATTEMPTS, runClassification } from "../../worker/classify/run-classification.ts";
import { WorkerConfig } from "../../worker/config.ts";
import { consume } from "../../worker/consume.ts";
import { deliverMessage } from "../../worker/deliver/deliver-message.ts";
import { createReceiverSlots } from "../../worker/deliver/receiver-slots.ts";
import { MAX_ATTEMPTS as MAX_DELIVERY_ATTEMPTS } from "../../worker/deliver/schedule.ts";
import { runObject } from "../../worker/label/run-object.ts";
import { createMetrics } from "../../worker/metrics.ts";
import type { WorkerMetrics } from "../../worker/metrics.ts";
import { createSafeFetch } from "../../worker/net/safe-fetch.ts";
import { readBacklog } from "../../worker/read-backlog.ts";
import { failBatch } from "../../worker/scan/fail-batch.ts";
import { finishBatch } from "../../worker/scan/finish-batch.ts";
import { enqueueMessage } from "../support/enqueue-message.ts";
import { fakeBucket } from "../support/fake-bucket.ts";
import { fakeEngine, markedImage } from "../support/fake-engine.ts";
import { startTestServer } from "../support/http-server.ts";
import { labelerRecord } from "../support/labeler-record.ts";
import { batchRecord, imageJob, swan, testLabelling } from "../support/labelling.ts";
import type { Answers } from "../support/labelling.ts";
import { readExposition, valueOf } from "../support/read-exposition.ts";
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
const scrape = async () => readExposition(await metrics.registry.metrics());
/** The value with these labels in what a scrape would show. */
const shown = async (name: string, labels: Record<string, string> = {}) =>
  valueOf(await scrape(), name, labels);

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

test("a job is timed at each try; what throws is counted as retried, and what is no job at all as given up", async () => {
  const queue = queueNames.classify("counted", "bulk");
  let tries = 0;
  const consuming = consume(deps, {
    queue,
    payload: z.object({ name: z.string() }),
    concurrency: 1,
    retryAfterMs: () => 1,
    async handle() {
      if (++tries === 1) throw new Error("trouble");
    },
  });
  const jobs = [{ name: "one" }, { name: 7 }].map((payload, i) => ({
    id: `job-${i}`,
    payload: payload as never,
  }));
  await deps.queues.enqueueClassify("counted", "bulk", jobs);
  await expect.poll(() => shown("tresline_job_seconds_count", { queue }), SOON).toBe(2);
  await expect.poll(() => shown("tresline_jobs_failed_total", { queue, outcome: "given_up" }), SOON).toBe(1);
  expect(await shown("tresline_jobs_failed_total", { queue, outcome: "retried" })).toBe(1);
  await consuming.close();
});

test("each attempt to deliver a message is counted and timed, and each message once it has ended", async () => {
  const receiver = await startTestServer(({ path }) => ({
    status: path === "/ok" ? 200 : path === "/gone" ? 410 : 500,
  }));
  const safeFetch = createSafeFetch({ allowedPrivateNetworks: ["127.0.0.1/32"] });
  const deliver = async (path: string, number: number) => {
    const url = receiver.url + path;
    const payload: DeliverPayload = {
      message_id: await messageId(newId("cls"), "classification.succeeded", url),
      tenant: "default",
      event_type: "classification.succeeded",
      url,
      body: "{}",
      created_at: new Date().toISOString(),
      sending: 0,
    };
    await deliverMessage(payload, { number }, { ...deps, safeFetch, slots: createReceiverSlots() });
  };
  expect(await shown("tresline_webhook_messages_total", { outcome: "failed" })).toBe(0);
  await deliver("/ok", 1);
  await expect(deliver("/broken", 1)).rejects.toThrow("500");
  await deliver("/broken", MAX_DELIVERY_ATTEMPTS);
  await deliver("/gone", 1);
  const scraped = await scrape();
  const attempts = (outcome: string) => valueOf(scraped, "tresline_webhook_attempts_total", { outcome });
  expect([attempts("delivered"), attempts("retry"), attempts("gone")]).toEqual([1, 2, 1]);
  const messages = (outcome: string) => valueOf(scraped, "tresline_webhook_messages_total", { outcome });
  expect([messages("delivered"), messages("failed"), messages("not_sent")]).toEqual([1, 2, 0]);
  expect(valueOf(scraped, "tresline_webhook_attempt_seconds_count")).toBe(4);
  await safeFetch.close();
  await receiver.stop();
});

test("what waits is asked of Redis at a scrape: every queue, state by state, and how long", async () => {
  const config = WorkerConfig.parse({ MODEL: "never-served@sha256:" + "0".repeat(64) });
  await announceModel(deps.redis, {
    name: "waiting",
    digest: "sha256:1",
    num_classes: 2,
    device: "cpu",
    input_size: [4, 4],
    served_at: new Date().toISOString(),
  });
  const queue = queueNames.classify("waiting", "interactive");
  await deps.queues.enqueueClassify(
    "waiting",
    "interactive",
    [1, 2].map(() => imageJob("/swan")).map((payload) => ({ id: payload.id, payload })),
  );
  await enqueueMessage(deps.queues, "https://client.example/hook");
  await deps.queues.admin.pause(queue);
  const backlog = () => readBacklog({ ...deps, config });
  await expect.poll(async () => (await backlog()).oldestMessageS, SOON).toBeGreaterThan(0.01);
  // Read before the scrape, which waits for it no longer than two seconds.
  const found = await backlog();
  metrics.watchBacklog(async () => found);
  const scraped = await scrape();
  const jobs = (state: string, of = queue) => valueOf(scraped, "tresline_queue_jobs", { queue: of, state });
  expect([jobs("waiting"), jobs("due"), jobs("put_off"), jobs("active"), jobs("dead")]).toEqual([
    2, 0, 0, 0, 0,
  ]);
  expect(jobs("waiting", queueNames.deliver)).toBe(1);
  expect(valueOf(scraped, "tresline_queue_oldest_age_seconds", { queue })).toBeGreaterThan(0.01);
  expect(valueOf(scraped, "tresline_webhook_oldest_pending_age_seconds")).toBeGreaterThan(0.01);
  expect(valueOf(scraped, "tresline_queue_paused", { queue })).toBe(1);
  expect(valueOf(scraped, "tresline_queue_paused", { queue: queueNames.scan })).toBe(0);
  const known = scraped.get("tresline_queue_paused")?.samples["tresline_queue_paused"] ?? [];
  expect(known.map(({ labels }) => String(labels["queue"])).toSorted()).toEqual(
    ["never-served", "waiting"]
      .flatMap((model) => [`${model}.bulk`, `${model}.interactive`, `${model}.objects`])
      .map((name) => `classify.${name}`)
      .concat("deliver", "scan")
      .toSorted(),
  );
});

test("while Redis does not answer nothing is told of what waits, and the rest is", async () => {
  metrics.watchBacklog(() => new Promise(() => {}));
  const scraped = await scrape();
  expect(scraped.get("tresline_queue_jobs")?.samples).toEqual({});
  expect(scraped.get("tresline_webhook_oldest_pending_age_seconds")?.samples).toEqual({});
  expect(valueOf(scraped, "tresline_chunks_total")).toBe(0);
});

test("what waits and cannot be understood is told in the log, since no scrape tells it", async () => {
  await deps.redis.hset(redisKeys.models(), "birds", "not JSON");
  const config = WorkerConfig.parse({});
  metrics.watchBacklog(() => readBacklog({ ...deps, config }));
  expect((await scrape()).get("tresline_queue_jobs")?.samples).toEqual({});
  const told = { level: "warn", msg: "nobody can tell Prometheus what waits" };
  expect(deps.log).toContainEqual(expect.objectContaining(told));
});

test("the memory of the GPUs is what the driver tells; one that does not answer tells nothing", async () => {
  const gpus = [
    { name: "NVIDIA H200", memory: 150_000, free_memory: 90_000 },
    { name: "NVIDIA H200", memory: 150_000, free_memory: 150_000 },
  ];
  metrics.watchGpus(async () => ({ driver: "580.1", gpus }));
  const scraped = await scrape();
  expect(valueOf(scraped, "tresline_gpu_memory_used_bytes", { gpu: "0" })).toBe(60_000);
  expect(valueOf(scraped, "tresline_gpu_memory_used_bytes", { gpu: "1" })).toBe(0);
  expect(valueOf(scraped, "tresline_gpu_memory_total_bytes", { gpu: "1" })).toBe(150_000);
  metrics = createMetrics();
  metrics.watchGpus(async () => ({ error: "nvidia-smi is not installed" }));
  expect((await scrape()).get("tresline_gpu_memory_used_bytes")?.samples).toEqual({});
});
