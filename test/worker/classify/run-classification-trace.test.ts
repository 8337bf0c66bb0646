import { Queue } from "bullmq";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { ClassifyImagePayload } from "../../../shared/contracts/queue-payloads.ts";
import { REDIS_PREFIX } from "../../../shared/keys.ts";
import { queueNames } from "../../../shared/queue.ts";
import { newTraceparent, traceIdOf } from "../../../shared/traceparent.ts";
import { runClassification } from "../../../worker/classify/run-classification.ts";
import { imageJob, swan, testLabelling } from "../../support/labelling.ts";
import { recordingTracer } from "../../support/recording-tracer.ts";
import { openWorkerDeps } from "../../support/worker-deps.ts";
import type { WorkerTestDeps } from "../../support/worker-deps.ts";
import { answers, classificationEnds } from "./classification-ends.ts";

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
const { messagesAbout } = classificationEnds(() => ({ deps, deliver }));

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
