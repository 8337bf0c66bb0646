import { Queue } from "bullmq";
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import { createBatcher } from "../../../worker/classify/batcher.ts";
import { fakeEngine, markedImage } from "../../support/fake-engine.ts";
import { Classification } from "../../../shared/contracts/classification.ts";
import { DeliverPayload } from "../../../shared/contracts/queue-payloads.ts";
import type { ClassifyImagePayload } from "../../../shared/contracts/queue-payloads.ts";
import { REDIS_PREFIX, redisKeys, storageKeys } from "../../../shared/keys.ts";
import { messageId } from "../../../shared/new-id.ts";
import { queueNames } from "../../../shared/queue.ts";
import { openRedis } from "../../../shared/redis.ts";
import { suspect } from "../../../shared/state/suspects.ts";
import { newTraceparent, traceIdOf } from "../../../shared/traceparent.ts";
import { runClassification } from "../../../worker/classify/run-classification.ts";
import { TEST_DIGEST, imageJob, raven, swan, testLabelling } from "../../support/labelling.ts";
import type { Answers } from "../../support/labelling.ts";
import { recordingTracer } from "../../support/recording-tracer.ts";
import { openWorkerDeps } from "../../support/worker-deps.ts";
import type { WorkerTestDeps } from "../../support/worker-deps.ts";

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
const answers: Answers = {
  "/swan": [swan],
  "/raven": [raven],
  "/text": [Buffer.from("no image")],
  "/flaky": [503, swan],
  "/down": [503],
};

async function storedResult({ tenant, id }: ClassifyImagePayload): Promise<Classification | undefined> {
  const bytes = await deps.storage.get(storageKeys.result(tenant, id));
  return bytes && Classification.parse(JSON.parse(new TextDecoder().decode(bytes)));
}
async function messagesAbout({ id }: ClassifyImagePayload): Promise<DeliverPayload[]> {
  const payloads = (await deliver.getJobs()).map(({ data }) => DeliverPayload.parse(data));
  return payloads.filter(({ body }) => body.includes(id));
}
/** Hears what is told to the process that waits for a classification. */
async function listen({ id, feed }: ClassifyImagePayload): Promise<string[]> {
  const told: string[] = [];
  const redis = openRedis(deps.redisUrl, "wait", () => {});
  await redis.subscribe(redisKeys.finishedFeed(feed ?? ""));
  redis.on("message", (_, text) => {
    if (text.startsWith(`${id} `)) told.push(text.slice(id.length + 1));
  });
  onTestFinished(() => redis.disconnect());
  return told;
}

const toClassification = (text: string) => Classification.parse(JSON.parse(text));
/** What is told comes over a connection of its own. */
const SOON = { timeout: 10_000 };

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

test("trouble that may pass is thrown, nothing is told, and the next try ends it", async () => {
  const job = imageJob("/flaky");
  const { classifyDeps } = testLabelling(deps, answers);
  await expect(runClassification(job, FIRST, classifyDeps)).rejects.toThrow("answered 503");
  expect(await storedResult(job)).toBeUndefined();
  expect(await messagesAbout(job)).toEqual([]);
  await runClassification(job, { ...FIRST, number: 2, isRepeated: true }, classifyDeps);
  expect(await storedResult(job)).toMatchObject({ status: "succeeded" });
});

test("on its last try such trouble is its failure, and it says that trying again may help", async () => {
  const job = imageJob("/down");
  await runClassification(
    job,
    { ...FIRST, number: 5, isRepeated: true },
    testLabelling(deps, answers).classifyDeps,
  );
  expect(await storedResult(job)).toMatchObject({
    status: "failed",
    error: { code: "fetch_failed", detail: "The server of the image answered 503.", retryable: true },
  });
});

test("an error of no known kind shows nothing of its inside to the client and all of it to the log", async () => {
  const job = imageJob("/swan");
  const { classifyDeps } = testLabelling(deps, answers);
  const batcher = { classify: () => Promise.reject(new Error("secret of 10.1.2.3")) };
  await runClassification(
    job,
    { ...FIRST, number: 5, isRepeated: true },
    { ...classifyDeps, labelling: { ...classifyDeps.labelling, batcher } },
  );
  const result = await storedResult(job);
  expect(result?.error?.code).toBe("internal");
  expect(JSON.stringify(result)).not.toContain("10.1.2.3");
  const line = deps.log.find(({ id, level }) => id === job.id && level === "error");
  expect(JSON.stringify(line)).toContain("10.1.2.3");
});

test("an image that two workers did not survive while it was the only suspect is given up untouched", async () => {
  const job = imageJob("/swan");
  for (const _ of [1, 2]) await suspect(deps.redis, job.id);
  const { classifyDeps, fetched } = testLabelling(deps, answers);
  await runClassification(job, { ...FIRST, crashes: 2, isRepeated: true }, classifyDeps);
  expect(await storedResult(job)).toMatchObject({ status: "failed", error: { code: "inference_failed" } });
  expect(fetched).toEqual([]);
});

test("an image that was in hand with others when workers died is labelled, however often that was", async () => {
  const job = imageJob("/swan");
  await runClassification(
    job,
    { ...FIRST, crashes: 9, isRepeated: true },
    testLabelling(deps, answers).classifyDeps,
  );
  expect(await storedResult(job)).toMatchObject({ status: "succeeded" });
});

test("a job done again after its result was stored keeps the first result and tells it under the same id", async () => {
  const job = imageJob("/again");
  const { classifyDeps } = testLabelling(deps, { "/again": [swan, raven] });
  await runClassification(job, FIRST, classifyDeps);
  const first = await storedResult(job);
  const [message] = await messagesAbout(job);
  await (await deliver.getJob(message?.message_id ?? ""))?.remove();
  await runClassification(job, { ...FIRST, crashes: 1, isRepeated: true }, classifyDeps);
  expect(await storedResult(job)).toEqual(first);
  const [again] = await messagesAbout(job);
  expect(again?.message_id).toBe(message?.message_id);
  expect(JSON.parse(again?.body ?? "")).toEqual(JSON.parse(message?.body ?? ""));
});

test("a job done again after its end is not labelled again", async () => {
  const job = imageJob("/again");
  const { classifyDeps, fetched } = testLabelling(deps, { "/again": [swan] });
  await runClassification(job, FIRST, classifyDeps);
  await runClassification(job, { ...FIRST, crashes: 1, isRepeated: true }, classifyDeps);
  expect(fetched).toEqual(["/again"]);
});

test("of two workers that have the same job the first result is told by both", async () => {
  const job = imageJob("/both");
  const told = await listen(job);
  const { classifyDeps } = testLabelling(deps, { "/both": [swan, raven] });
  await Promise.all([
    runClassification(job, FIRST, classifyDeps),
    runClassification(job, FIRST, classifyDeps),
  ]);
  const result = await storedResult(job);
  await expect.poll(() => told.map(toClassification), SOON).toEqual([result, result]);
  expect(await messagesAbout(job)).toHaveLength(1);
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

/** Does a job with a tracer that keeps what it is told. */
async function traced(job: ClassifyImagePayload, attempt = FIRST) {
  const { tracer, spans } = recordingTracer();
  const { classifyDeps } = testLabelling(deps, answers);
  await runClassification(job, attempt, { ...classifyDeps, tracer }).catch(() => {});
  return { spans, job: spans.at(-1) };
}

test("a job is a span under its request, its stages follow each other under that, and so does its message", async () => {
  const traceparent = newTraceparent();
  const payload = imageJob("/swan", { traceparent });
  const { spans, job } = await traced(payload);
  expect(job).toMatchObject({
    name: "classify image",
    kind: "consumer",
    parent: traceparent,
    error: undefined,
    fields: { id: payload.id, status: "succeeded", label: "swan", attempt: 1, bytes: swan.byteLength },
  });
  const stages = ["fetch", "decode", "batch_wait", "inference", "store"].map((name) =>
    spans.find((span) => span.name === name),
  );
  expect(stages.map((stage) => stage?.parent)).toEqual(stages.map(() => job?.traceparent));
  const [, ...begun] = stages.slice(0, -1).map((stage) => stage?.startedAt);
  expect(begun).toEqual(stages.slice(0, -2).map((stage) => stage?.endedAt));
  expect((await messagesAbout(payload)).map((message) => message.traceparent)).toEqual([job?.traceparent]);
});

test("an image that fails says why in its span and in its line of the log, by the same fields", async () => {
  const payload = imageJob("/text", { traceparent: newTraceparent() });
  const { spans, job } = await traced(payload);
  expect(spans.map(({ name }) => name)).toEqual(["store", "classify image"]);
  const fields = { id: payload.id, tenant: "default", status: "failed", code: "invalid_image", crashes: 0 };
  expect(job?.fields).toMatchObject(fields);
  expect(deps.log.filter(({ id }) => id === payload.id)).toEqual([
    expect.objectContaining({
      ...fields,
      msg: "classification",
      trace_id: traceIdOf(payload.traceparent ?? ""),
      lane: "interactive",
      total_ms: expect.any(Number),
    }),
  ]);
});

test("a try that is to be made again is a span that failed, and an old version's job begins a trace", async () => {
  const { job } = await traced(imageJob("/down"));
  expect(job).toMatchObject({
    name: "classify image",
    parent: undefined,
    error: expect.stringContaining("503"),
  });
});
