import { Queue } from "bullmq";
import { afterAll, beforeAll, expect, test } from "vitest";
import { REDIS_PREFIX, storageKeys } from "../../../shared/keys.ts";
import { messageId } from "../../../shared/new-id.ts";
import { queueNames } from "../../../shared/queue.ts";
import { createBatcher } from "../../../worker/classify/batcher.ts";
import { runClassification } from "../../../worker/classify/run-classification.ts";
import { fakeEngine, markedImage } from "../../support/fake-engine.ts";
import { TEST_DIGEST, imageJob, raven, testLabelling } from "../../support/labelling.ts";
import { openWorkerDeps } from "../../support/worker-deps.ts";
import type { WorkerTestDeps } from "../../support/worker-deps.ts";
import { SOON, answers, classificationEnds, toClassification } from "./classification-ends.ts";

let deps: WorkerTestDeps;
let deliver: Queue;
beforeAll(async () => {
  deps = await openWorkerDeps();
  deliver = new Queue(queueNames.deliver, { connection: deps.redis, prefix: REDIS_PREFIX });
});
afterAll(async () => {
  await deliver.close();
  await deps.stop();
});

const FIRST = { number: 1, crashes: 0, isRepeated: false };
const { storedResult, messagesAbout, listen } = classificationEnds(() => ({ deps, deliver }));

test("a classification ends with its labels: stored, told to who waits, announced once under a derived id", async () => {
  const job = imageJob("/swan");
  const told = await listen(job);
  await runClassification(job, FIRST, testLabelling(deps, answers).classifyDeps);
  const result = await storedResult(job);
  expect(result).toMatchObject({
    id: job.id,
    status: "succeeded",
    model: "birds",
    model_digest: TEST_DIGEST,
    device: "cpu",
    input: job.image,
    predictions: [
      { index: 0, label: "swan", score: 0.9 },
      { index: 1, label: "raven", score: 0.1 },
    ],
    error: null,
    metadata: job.metadata,
    created_at: job.created_at,
    urls: { get: job.url },
  });
  expect(Object.keys(result?.metrics ?? {})).toEqual(
    expect.arrayContaining([
      "queue_ms",
      "fetch_ms",
      "decode_ms",
      "batch_wait_ms",
      "inference_ms",
      "total_ms",
      "batch_size",
    ]),
  );
  expect(result?.metrics.total_ms).toBeGreaterThanOrEqual(1_000);
  await expect.poll(() => told.map(toClassification), SOON).toEqual([result]);
  const [message, ...others] = await messagesAbout(job);
  expect(others).toEqual([]);
  expect(message).toMatchObject({
    message_id: await messageId(job.id, "classification.succeeded", "https://client.example/hook"),
    event_type: "classification.succeeded",
    url: "https://client.example/hook",
  });
  expect(JSON.parse(message?.body ?? "")).toEqual({
    type: "classification.succeeded",
    timestamp: result?.completed_at,
    data: result,
  });
});

test("top_k and threshold choose the predictions", async () => {
  const one = imageJob("/raven", { top_k: 1 });
  const sure = imageJob("/raven", { threshold: 0.5 });
  const none = imageJob("/raven", { threshold: 0.95 });
  const { classifyDeps } = testLabelling(deps, answers);
  for (const job of [one, sure, none]) await runClassification(job, FIRST, classifyDeps);
  const expected = { index: 1, label: "raven", score: 0.8 };
  expect((await storedResult(one))?.predictions).toEqual([expected]);
  expect((await storedResult(sure))?.predictions).toEqual([expected]);
  expect((await storedResult(none))?.predictions).toEqual([]);
});

test.each([
  ["/text", "invalid_image", "The file is not an image of a known format."],
  ["/missing", "fetch_failed", "The server of the image answered 404."],
])("an image that can never work, %s, fails at once with its reason", async (path, code, detail) => {
  const job = imageJob(path);
  await runClassification(job, FIRST, testLabelling(deps, answers).classifyDeps);
  expect(await storedResult(job)).toMatchObject({
    status: "failed",
    predictions: null,
    error: { code, detail, retryable: false },
    completed_at: expect.any(String),
  });
  expect((await messagesAbout(job)).map(({ event_type }) => event_type)).toEqual(["classification.failed"]);
});

test("only events that were asked for are announced", async () => {
  const url = "https://client.example/hook";
  const { classifyDeps } = testLabelling(deps, answers);
  const unwanted = imageJob("/swan", { webhook: { url, events: ["classification.failed"] } });
  const wanted = imageJob("/text", { webhook: { url, events: ["classification.failed"] } });
  const nobody = imageJob("/swan", { webhook: null });
  for (const job of [unwanted, wanted, nobody]) await runClassification(job, FIRST, classifyDeps);
  expect(await messagesAbout(unwanted)).toEqual([]);
  expect(await messagesAbout(nobody)).toEqual([]);
  expect(await messagesAbout(wanted)).toHaveLength(1);
});

/** A pointer to a stored image. */
const data = (id: string) => ({
  type: "data" as const,
  key: storageKeys.upload(id),
  media_type: "image/png",
  bytes: 7,
});

test("an image that came with the request is read from storage, and one that is gone is a failure", async () => {
  await deps.storage.put(storageKeys.upload("there"), raven, { contentType: "image/png" });
  const there = imageJob("", { image: data("there") });
  const gone = imageJob("", { image: data("gone") });
  const { classifyDeps } = testLabelling(deps, {});
  for (const job of [there, gone]) await runClassification(job, FIRST, classifyDeps);
  expect(await storedResult(there)).toMatchObject({
    predictions: [{ label: "raven" }, { label: "swan" }],
    input: { type: "data", media_type: "image/png", bytes: 7 },
  });
  expect(await storedResult(gone)).toMatchObject({ error: { code: "fetch_failed", retryable: false } });
});

test("an image whose deadline has passed is aborted without being touched, and that is told", async () => {
  const job = imageJob("/swan", { deadline: new Date(Date.now() - 1).toISOString() });
  const { classifyDeps, fetched } = testLabelling(deps, answers);
  await runClassification(job, FIRST, classifyDeps);
  expect(await storedResult(job)).toMatchObject({
    status: "aborted",
    deadline: job.deadline,
    error: { code: "deadline_exceeded", detail: `It was not run before ${job.deadline}.`, retryable: false },
  });
  expect(fetched).toEqual([]);
  const [message] = await messagesAbout(job);
  expect(message?.event_type).toBe("classification.aborted");
});

test("an image whose deadline passes while it waits for the engine does not enter a micro-batch", async () => {
  const { engine, runs } = fakeEngine(1);
  const batcher = createBatcher(engine, { maxWaitMs: 0 });
  void batcher.classify({ lane: "bulk", tenant: "a" }, async () => markedImage(1));
  await expect.poll(() => runs.length).toBe(1);
  void batcher.classify({ lane: "interactive", tenant: "a" }, async () => markedImage(2));
  const { classifyDeps } = testLabelling(deps, answers);
  const labelling = { ...classifyDeps.labelling, decode: async () => markedImage(3), batcher };
  const job = imageJob("/swan", { deadline: new Date(Date.now() + 200).toISOString() });
  const running = runClassification(job, FIRST, { ...classifyDeps, labelling });
  await new Promise((resolve) => setTimeout(resolve, 300));
  runs[0]?.finish();
  await expect.poll(() => runs.length).toBe(2);
  runs[1]?.finish();
  await running;
  expect(await storedResult(job)).toMatchObject({ status: "aborted", error: { code: "deadline_exceeded" } });
  expect(runs.map(({ marks }) => marks)).toEqual([[1], [2]]);
});

test("a deadline that is not reached changes nothing", async () => {
  const job = imageJob("/swan", { deadline: new Date(Date.now() + 60_000).toISOString() });
  await runClassification(job, FIRST, testLabelling(deps, answers).classifyDeps);
  expect(await storedResult(job)).toMatchObject({ status: "succeeded", deadline: job.deadline });
});
