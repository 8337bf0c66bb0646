import pLimit from "p-limit";
import { afterAll, beforeAll, expect, test } from "vitest";
import { DeliverPayload } from "../../../shared/contracts/queue-payloads.ts";
import { redisKeys } from "../../../shared/keys.ts";
import { batchItemId } from "../../../shared/new-id.ts";
import { queueNames } from "../../../shared/queue.ts";
import { suspect } from "../../../shared/state/suspects.ts";
import { newTraceparent, traceIdOf } from "../../../shared/traceparent.ts";
import { classifyChunk } from "../../../worker/classify/classify-chunk.ts";
import { TEST_DIGEST, raven, swan, testLabelling } from "../../support/labelling.ts";
import { readQueue } from "../../support/queue-reader.ts";
import { openWorkerDeps } from "../../support/worker-deps.ts";
import type { WorkerTestDeps } from "../../support/worker-deps.ts";
import { batchInProgress } from "./batch-in-progress.ts";

let deps: WorkerTestDeps;
beforeAll(async () => {
  deps = await openWorkerDeps();
});
afterAll(() => deps.stop());

const FIRST = { number: 1, crashes: 0, isRepeated: false };
const { chunkDeps, startedBatch, part, counts, finishJobs } = batchInProgress(() => deps);

test("a bad item fails alone, with its reason; its neighbours have their labels, in the order of the items", async () => {
  const payload = await startedBatch(2, ["/a", "/text", "/b", "/missing", "/c"], 1);
  const answers = { "/a": [swan], "/b": [raven], "/c": [swan], "/text": [Buffer.from("no image")] };
  await classifyChunk(payload, FIRST, chunkDeps(answers).deps);
  const results = await part(payload);
  expect(results.map(({ custom_id }) => custom_id)).toEqual(payload.items.map(({ custom_id }) => custom_id));
  expect(results.map(({ id }) => id)).toEqual(
    [5, 6, 7, 8, 9].map((index) => batchItemId(payload.batch_id, index)),
  );
  expect(results.map(({ predictions, error }) => predictions?.[0]?.label ?? error?.code)).toEqual([
    "swan",
    "invalid_image",
    "raven",
    "fetch_failed",
    "swan",
  ]);
  expect(results.every(({ model_digest }) => model_digest === TEST_DIGEST)).toBe(true);
  expect(await counts(payload)).toEqual({ total: 10, succeeded: 3, failed: 2, canceled: 0 });
  expect(await finishJobs(payload)).toEqual([]);
});

test("an item that its source could not tell fails with the source's sentence, at once", async () => {
  const payload = await startedBatch(1, ["/a"]);
  const fault = "Line 2 of the manifest is not valid JSON.";
  const items = [...payload.items, { index: 1, custom_id: "line 2", fault }];
  const { deps: all, fetched } = chunkDeps({ "/a": [swan] });
  await classifyChunk({ ...payload, items }, FIRST, all);
  expect(
    (await part(payload)).map(({ custom_id, error }) => [custom_id, error?.code, error?.detail]),
  ).toEqual([
    ["item /a", undefined, undefined],
    ["line 2", "invalid_request", fault],
  ]);
  expect(fetched).toEqual(["/a"]);
});

test("the last chunk calls for the end of the batch, once, however often it is done, in its trace", async () => {
  const payload = { ...(await startedBatch(1, ["/a"])), traceparent: newTraceparent() };
  const { deps: all } = chunkDeps({ "/a": [swan] });
  await classifyChunk(payload, FIRST, all);
  await classifyChunk(payload, { ...FIRST, number: 2, isRepeated: true }, all);
  expect(await finishJobs(payload)).toEqual([
    {
      id: `${payload.batch_id}-finish`,
      payload: {
        kind: "finish",
        tenant: "default",
        batch_id: payload.batch_id,
        traceparent: expect.stringContaining(traceIdOf(payload.traceparent ?? "")),
      },
    },
  ]);
});

test("of chunks that end together exactly one set of counts comes out and one end is called for", async () => {
  const first = await startedBatch(4, ["/a", "/b"]);
  const { deps: all } = chunkDeps({ "/a": [swan] });
  await Promise.all([0, 1, 2, 3].map((chunk) => classifyChunk({ ...first, chunk }, FIRST, all)));
  expect(await counts(first)).toEqual({ total: 8, succeeded: 4, failed: 4, canceled: 0 });
  expect(await finishJobs(first)).toHaveLength(1);
});

test("a chunk done again after its part was stored is counted once and keeps what was stored", async () => {
  const payload = await startedBatch(2, ["/once"]);
  const { deps: all, fetched } = chunkDeps({ "/once": [swan, raven] });
  await classifyChunk(payload, FIRST, all);
  const first = await part(payload);
  await classifyChunk(payload, { ...FIRST, crashes: 1, isRepeated: true }, all);
  expect(await part(payload)).toEqual(first);
  expect(fetched).toEqual(["/once"]);
  expect(await counts(payload)).toEqual({ total: 2, succeeded: 1, failed: 0, canceled: 0 });
});

test("a chunk whose worker was killed before its part was stored is labelled again", async () => {
  const payload = await startedBatch(1, ["/a"]);
  await classifyChunk(payload, { ...FIRST, crashes: 1, isRepeated: true }, chunkDeps({ "/a": [swan] }).deps);
  expect((await part(payload)).map(({ status }) => status)).toEqual(["succeeded"]);
});

test("an item that meets trouble is tried again without holding up the chunk; trouble that stays is its failure", async () => {
  const payload = await startedBatch(1, ["/a", "/flaky", "/down"]);
  const { deps: all, fetched } = chunkDeps({ "/a": [swan], "/flaky": [503, raven], "/down": [503] });
  await classifyChunk(payload, FIRST, all);
  const results = await part(payload);
  expect(results.map(({ status }) => status)).toEqual(["succeeded", "succeeded", "failed"]);
  expect(results[2]?.error).toMatchObject({ code: "fetch_failed", retryable: true });
  expect(fetched.toSorted()).toEqual(["/a", "/down", "/down", "/down", "/flaky", "/flaky"]);
});

test("of a chunk that took workers down, the item that did it fails alone", async () => {
  const payload = await startedBatch(1, ["/a", "/b", "/c"]);
  const { deps: all, fetched } = chunkDeps({ "/a": [swan], "/b": [raven], "/c": [raven] });
  for (const _ of [1, 2]) await suspect(deps.redis, batchItemId(payload.batch_id, 1));
  await classifyChunk(payload, { ...FIRST, crashes: 3, isRepeated: true }, all);
  expect((await part(payload)).map(({ error }) => error?.code)).toEqual([
    undefined,
    "inference_failed",
    undefined,
  ]);
  expect(fetched).toEqual(["/a", "/c"]);
  expect(await finishJobs(payload)).toHaveLength(1);
});

test("no more images are in hand than allowed", async () => {
  const payload = await startedBatch(
    1,
    Array.from({ length: 20 }, (_, i) => `/${i}`),
  );
  const { classifyDeps } = testLabelling(deps, {});
  let inHand = 0;
  let most = 0;
  const safeFetch = {
    ...classifyDeps.labelling.sources.safeFetch,
    fetch: async (url: string) => {
      most = Math.max(most, ++inHand);
      await new Promise((resolve) => setTimeout(resolve, 5));
      inHand--;
      return { status: 200, headers: {}, body: swan, truncated: false, url };
    },
  };
  const sources = { ...classifyDeps.labelling.sources, safeFetch };
  const labelling = { ...classifyDeps.labelling, sources };
  await classifyChunk(payload, FIRST, { ...classifyDeps, labelling, inHand: pLimit(3) });
  expect(most).toBe(3);
});

test("progress is told to who asked for it: once however often its chunk is done, and as another message later", async () => {
  const webhook = { url: "https://client.example/hook", events: ["batch.progress" as const] };
  const payload = await startedBatch(4, ["/a"], 0, { webhook });
  const { deps: all } = chunkDeps({ "/a": [swan] });
  for (const crashes of [0, 1])
    await classifyChunk(payload, { ...FIRST, crashes, isRepeated: crashes > 0 }, all);
  await classifyChunk({ ...payload, chunk: 1 }, FIRST, all);
  const told = async () =>
    (await readQueue(deps.redis, queueNames.deliver))
      .map((job) => DeliverPayload.parse(job.payload))
      .filter(({ body }) => body.includes(payload.batch_id));
  const [message, ...others] = await told();
  expect(others).toEqual([]);
  expect(JSON.parse(message?.body ?? "")).toMatchObject({
    type: "batch.progress",
    data: { id: payload.batch_id, status: "in_progress", request_counts: { total: 4, succeeded: 1 } },
  });
  await deps.redis.hincrby(redisKeys.batch(payload.batch_id), "progress_at", -5_000);
  for (const chunk of [2, 3]) await classifyChunk({ ...payload, chunk }, FIRST, all);
  expect((await told()).length, "the last chunk tells the end, not the progress").toBe(2);
  expect(new Set((await told()).map(({ message_id }) => message_id)).size).toBe(2);
});
