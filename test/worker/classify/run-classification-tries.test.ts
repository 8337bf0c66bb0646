import { Queue } from "bullmq";
import { afterAll, beforeAll, expect, test } from "vitest";
import { REDIS_PREFIX } from "../../../shared/keys.ts";
import { queueNames } from "../../../shared/queue.ts";
import { suspect } from "../../../shared/state/suspects.ts";
import { runClassification } from "../../../worker/classify/run-classification.ts";
import { imageJob, raven, swan, testLabelling } from "../../support/labelling.ts";
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
