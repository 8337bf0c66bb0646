import { afterAll, beforeAll, expect, test } from "vitest";
import { writeManifest } from "../../shared/batch-manifest.ts";
import type { Problem } from "../../shared/contracts/error.ts";
import type { Labeler, ResumedLabeler, Run } from "../../shared/contracts/labeler.ts";
import { redisKeys, storageKeys } from "../../shared/keys.ts";
import { newId } from "../../shared/new-id.ts";
import { queueNames } from "../../shared/queue.ts";
import { endBatch, forgetBatch, getBatchState, startBatch } from "../../shared/state/batches.ts";
import { putRun } from "../../shared/state/labeler-runs.ts";
import { MAX_LABELERS, countMissed, isPaused, putLabeler } from "../../shared/state/labelers.ts";
import { batchRecord } from "../support/labelling.ts";
import { labelerRecord } from "../support/labeler-record.ts";
import { readQueue } from "../support/queue-reader.ts";
import { PUBLIC_URL, startTestApi } from "./support/test-api.ts";
import type { TestApi } from "./support/test-api.ts";

const LABELERS = "/v1/labelers";

let api: TestApi;
beforeAll(async () => {
  api = await startTestApi({ S3_SOURCE_BUCKETS: "photos,reports" });
});
afterAll(() => api.close());

const jsonOf = async <T>(response: Promise<Response>) => (await (await response).json()) as T;
const send = (method: string, path: string) => api.request(path, { method });
const create = (more: object = {}) => jsonOf<Labeler>(api.post(LABELERS, { bucket: "photos", ...more }));
const get = (id: string) => jsonOf<Labeler>(api.request(`${LABELERS}/${id}`));
const resume = (id: string) => jsonOf<ResumedLabeler>(send("POST", `${LABELERS}/${id}/resume`));
const startRun = (id: string, body: object = {}) => api.post(`${LABELERS}/${id}/runs`, body);
const scanJobsOf = async (id: string) =>
  (await readQueue(api.redis.redis, queueNames.scan)).filter((job) => job.id.startsWith(id));

/** Ends a run as a worker would: storage has its manifest, and Redis forgets it. */
async function endRun(id: string): Promise<void> {
  await startBatch(api.redis.redis, id);
  await endBatch(api.redis.redis, id, "completed", new Date().toISOString());
  const state = await getBatchState(api.redis.redis, id);
  if (state === undefined) throw new Error(`${id} is not known.`);
  await writeManifest(api.deps.storage, state);
  await forgetBatch(api.redis.redis, id);
}

test("a labeler is made with what it was asked for and defaults, and is found again", async () => {
  const response = await api.post(LABELERS, {
    bucket: "photos",
    prefix: "2026/",
    suffixes: [".jpg", ".png"],
    write_back: "tags",
    on_error: "write_back",
    metadata: { team: "catalogue" },
    webhook: "https://client.example/hook",
  });
  expect(response.status).toBe(201);
  const labeler = (await response.json()) as Labeler;
  expect(response.headers.get("location")).toBe(labeler.urls.get);
  expect(labeler).toMatchObject({
    object: "labeler",
    status: "active",
    bucket: "photos",
    prefix: "2026/",
    suffixes: [".jpg", ".png"],
    model: "figures",
    top_k: 5,
    threshold: 0,
    write_back: "tags",
    on_error: "write_back",
    metadata: { team: "catalogue" },
    event_counts: { labelled: 0, failed: 0, skipped: 0, missed: 0 },
    paused_at: null,
    urls: {
      get: `${PUBLIC_URL}${LABELERS}/${labeler.id}`,
      runs: `${PUBLIC_URL}${LABELERS}/${labeler.id}/runs`,
    },
  });
  expect(await get(labeler.id)).toEqual(labeler);
});

test("labelers are listed, the newest first", async () => {
  const first = await create();
  const second = await create({ prefix: "b/" });
  const list = await jsonOf<{ object: string; data: Labeler[]; next_cursor: null }>(api.request(LABELERS));
  expect(list).toMatchObject({ object: "list", next_cursor: null });
  const ids = list.data.map(({ id }) => id);
  expect(ids.indexOf(second.id)).toBeGreaterThanOrEqual(0);
  expect(ids).toEqual(ids.toSorted().toReversed());
  expect(ids).toContain(first.id);
});

test.each([
  {
    of: "a bucket that may not be read",
    body: { bucket: "private" },
    code: "fetch_forbidden",
    pointer: "/bucket",
  },
  { of: "a model that nobody serves", body: { bucket: "photos", model: "birds" }, code: "model_not_found" },
  { of: "no bucket", body: {}, code: "invalid_request", pointer: "/bucket" },
  {
    of: "a write-back of no such name",
    body: { bucket: "photos", write_back: "xattr" },
    code: "invalid_request",
    pointer: "/write_back",
  },
  {
    of: "events of a batch",
    body: { bucket: "photos", webhook_events_filter: ["batch.completed"] },
    code: "invalid_request",
    pointer: "/webhook_events_filter/0",
  },
  {
    of: "an option of no such name",
    body: { bucket: "photos", recursive: true },
    code: "invalid_request",
    pointer: "/recursive",
  },
])("$of is refused", async ({ body, code, pointer }) => {
  const problem = await jsonOf<Problem>(api.post(LABELERS, body));
  expect(problem.code).toBe(code);
  expect(problem.errors?.[0]?.pointer).toBe(pointer);
});

test("one labeler more than a tenant may have is refused", async () => {
  const { data } = await jsonOf<{ data: Labeler[] }>(api.request(LABELERS));
  const fill = Array.from({ length: MAX_LABELERS - data.length }, () => labelerRecord({ bucket: "reports" }));
  for (const record of fill) await putLabeler(api.redis.redis, record);
  const problem = await jsonOf<Problem>(api.post(LABELERS, { bucket: "photos" }));
  expect(problem).toMatchObject({ status: 409, code: "conflict" });
  expect(problem.detail).toContain("delete one");
  for (const { id } of fill) expect((await send("DELETE", `${LABELERS}/${id}`)).status).toBe(204);
});

test("another tenant's labeler is not found, whatever is asked of it, and stays as it is", async () => {
  const { redis } = api.redis;
  const record = labelerRecord({ tenant: "other" });
  await putLabeler(redis, record);
  const run = batchRecord({ id: newId("run"), tenant: "other" });
  await putRun(
    redis,
    record.id,
    { ...run, labeler: { id: record.id, write_back: "none", on_error: "report", mode: "backfill" } },
    { runs: 0, unseen: 0 },
  );
  const path = `${LABELERS}/${record.id}`;
  for (const [method, where] of [
    ["GET", path],
    ["DELETE", path],
    ["POST", `${path}/pause`],
    ["POST", `${path}/resume`],
    ["GET", `${path}/runs`],
    ["GET", `/v1/runs/${run.id}`],
    ["GET", `${path}/runs/${run.id}`],
    ["GET", `${path}/runs/${run.id}/results`],
    ["POST", `${path}/runs/${run.id}/cancel`],
  ] as const)
    expect(await jsonOf<Problem>(send(method, where)), where).toMatchObject({
      status: 404,
      code: "not_found",
    });
  expect(await jsonOf<Problem>(startRun(record.id))).toMatchObject({ status: 404 });
  const { data } = await jsonOf<{ data: Labeler[] }>(api.request(LABELERS));
  expect(data.map(({ id }) => id)).not.toContain(record.id);
  expect(await isPaused(redis, record.id)).toBe(false);
  expect((await getBatchState(redis, run.id))?.batch.status).toBe("validating");
});

test("a run lists what the labeler is for, with what the labeler is made of, and is enqueued when it is accepted", async () => {
  const labeler = await create({
    prefix: "2026/",
    suffixes: [".jpg"],
    top_k: 2,
    write_back: "sidecar",
    webhook: "https://client.example/hook",
    webhook_events_filter: ["labeler.run.failed"],
  });
  const response = await startRun(labeler.id, { images_per_second: 20 });
  expect(response.status).toBe(202);
  const run = (await response.json()) as Run;
  expect(response.headers.get("location")).toBe(`${labeler.urls.runs}/${run.id}`);
  expect(run).toMatchObject({
    object: "labeler.run",
    labeler_id: labeler.id,
    mode: "backfill",
    status: "validating",
    images_per_second: 20,
    report: null,
  });
  expect(await jsonOf(api.request(`${LABELERS}/${labeler.id}/runs/${run.id}`))).toEqual(run);
  expect((await getBatchState(api.redis.redis, run.id))?.record).toMatchObject({
    model: "figures",
    top_k: 2,
    labeler: { id: labeler.id, write_back: "sidecar", on_error: "report", mode: "backfill" },
    source: { type: "prefix", bucket: "photos", prefix: "2026/", suffixes: [".jpg"] },
    webhook: { url: "https://client.example/hook", events: ["labeler.run.failed"] },
  });
  expect(await scanJobsOf(run.id)).toEqual([
    {
      id: `${run.id}-enqueue`,
      payload: { kind: "enqueue", tenant: "default", batch_id: run.id, traceparent: expect.any(String) },
    },
  ]);
});

test("a run over an inventory takes of it what the labeler is for", async () => {
  const labeler = await create({ prefix: "2026/" });
  const s3 = { bucket: "reports", key: "inventory/2026-11-22T00-00Z/manifest.json" };
  const run = await jsonOf<Run>(startRun(labeler.id, { mode: "relabel", inventory: { s3 } }));
  expect(run.mode).toBe("relabel");
  expect((await getBatchState(api.redis.redis, run.id))?.record.source).toEqual({
    type: "inventory",
    ...s3,
    of_bucket: "photos",
    prefix: "2026/",
  });
  const elsewhere = { inventory: { s3: { bucket: "private", key: "manifest.json" } } };
  expect(await jsonOf<Problem>(startRun(labeler.id, elsewhere))).toMatchObject({
    code: "fetch_forbidden",
    errors: [{ pointer: "/inventory/s3/bucket" }],
  });
});

test("a second run is refused while one moves, and one that was never enqueued gets its job again", async () => {
  const { id } = await create();
  const first = await jsonOf<Run>(startRun(id));
  const queue = `{tresline}:${queueNames.scan}`;
  await api.redis.redis.del(`${queue}:wait`, `${queue}:${first.id}-enqueue`);
  expect(await scanJobsOf(first.id)).toEqual([]);
  const problem = await jsonOf<Problem>(startRun(id));
  expect(problem).toMatchObject({ status: 409, code: "conflict" });
  expect(problem.detail).toContain(`${first.id} of this labeler is validating`);
  expect(await scanJobsOf(first.id)).toHaveLength(1);
  await endRun(first.id);
  expect((await startRun(id)).status).toBe(202);
});

test("of many runs that are started at once exactly one is", async () => {
  const { id } = await create();
  const responses = await Promise.all(Array.from({ length: 8 }, () => startRun(id)));
  expect(responses.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([
    202,
    ...Array.from({ length: 7 }, () => 409),
  ]);
  const { data } = await jsonOf<{ data: Run[] }>(api.request(`${LABELERS}/${id}/runs`));
  expect(data).toHaveLength(1);
  const records = await api.redis.redis.keys(redisKeys.batch("run_*"));
  const states = await Promise.all(
    records.map((key) => getBatchState(api.redis.redis, key.split(":").at(-1) ?? "")),
  );
  expect(states.filter((state) => state?.record.labeler?.id === id)).toHaveLength(1);
});

test("the runs of a labeler are listed, the newest first, from Redis while they move and from storage after", async () => {
  const { id } = await create();
  const first = await jsonOf<Run>(startRun(id));
  await endRun(first.id);
  const second = await jsonOf<Run>(startRun(id));
  const list = await jsonOf<{ data: Run[]; next_cursor: null }>(api.request(`${LABELERS}/${id}/runs`));
  expect(list.data.map((run) => [run.id, run.status])).toEqual([
    [second.id, "validating"],
    [first.id, "completed"],
  ]);
  expect(list.next_cursor).toBeNull();
});

test("the results of a run are streamed once it has ended, and stay when its labeler is deleted", async () => {
  const { id } = await create();
  const run = await jsonOf<Run>(startRun(id));
  const path = `${LABELERS}/${id}/runs/${run.id}/results`;
  expect(await jsonOf<Problem>(api.request(path))).toMatchObject({ status: 409, code: "conflict" });
  await endRun(run.id);
  const line = {
    custom_id: "2026/cat.jpg",
    id: newId("cls"),
    status: "skipped",
    predictions: null,
    error: null,
    model_digest: "sha256:0",
    metrics: {},
    etag: "9b2cf5",
  };
  const options = { contentType: "application/x-ndjson" };
  await api.deps.storage.put(storageKeys.batchResults(run.id), `${JSON.stringify(line)}\n`, options);
  await send("DELETE", `${LABELERS}/${id}`);
  expect(await jsonOf<object>(api.request(path))).toEqual(line);
  expect(await jsonOf<Run>(api.request(`${LABELERS}/${id}/runs/${run.id}`))).toMatchObject({
    status: "completed",
  });
});

test("a run is found by its id alone, and else only under its own labeler", async () => {
  const [mine, another] = [await create(), await create()];
  const run = await jsonOf<Run>(startRun(mine.id));
  expect(await jsonOf<Run>(api.request(`/v1/runs/${run.id}`))).toEqual(
    await jsonOf<Run>(api.request(`${LABELERS}/${mine.id}/runs/${run.id}`)),
  );
  const nobody = await jsonOf<Problem>(api.request(`/v1/runs/${newId("run")}`));
  expect(nobody).toMatchObject({ status: 404, detail: expect.stringMatching(/^There is no run run_\w+\.$/) });
  const problem = await jsonOf<Problem>(api.request(`${LABELERS}/${another.id}/runs/${run.id}`));
  expect(problem.detail).toBe(`The labeler ${another.id} has no run ${run.id}.`);
});

test("a run is canceled once, and one that has ended is not", async () => {
  const { id } = await create();
  const run = await jsonOf<Run>(startRun(id));
  const path = `${LABELERS}/${id}/runs/${run.id}/cancel`;
  const response = await send("POST", path);
  expect(response.status).toBe(202);
  expect(await response.json()).toMatchObject({ id: run.id, status: "canceling" });
  expect((await send("POST", path)).status).toBe(202);
  await endRun(run.id);
  expect(await jsonOf<Problem>(send("POST", path))).toMatchObject({ status: 409, code: "conflict" });
});

test("a paused labeler says since when, and its run is paused with it", async () => {
  const { id } = await create();
  const run = await jsonOf<Run>(startRun(id));
  await startBatch(api.redis.redis, run.id);
  const paused = await jsonOf<Labeler>(send("POST", `${LABELERS}/${id}/pause`));
  expect(paused).toMatchObject({ id, status: "paused", paused_at: expect.stringMatching(/Z$/) });
  const runPath = `${LABELERS}/${id}/runs/${run.id}`;
  expect(await jsonOf<Run>(api.request(runPath))).toMatchObject({ status: "paused" });
  expect(await resume(id)).toMatchObject({ status: "active", paused_at: null, run: null });
  expect(await jsonOf<Run>(api.request(runPath))).toMatchObject({ status: "in_progress" });
});

test("what a labeler missed while it was paused is found by a run that resuming starts, even beside another", async () => {
  const { id } = await create();
  const before = await jsonOf<Run>(startRun(id, { mode: "relabel" }));
  await send("POST", `${LABELERS}/${id}/pause`);
  await countMissed(api.redis.redis, id, 3);
  const resumed = await resume(id);
  expect(resumed).toMatchObject({ status: "active", event_counts: { missed: 3 } });
  expect(resumed.run).toMatchObject({ mode: "backfill", status: "validating", labeler_id: id });
  expect(await scanJobsOf(resumed.run?.id ?? "none")).toHaveLength(1);
  expect((await resume(id)).run, "nothing is missed any more").toBeNull();
  const { data } = await jsonOf<{ data: Run[] }>(api.request(`${LABELERS}/${id}/runs`));
  expect(data.map((run) => run.id)).toEqual([resumed.run?.id, before.id]);
});

test("of many that resume a labeler at once one starts the run", async () => {
  const { id } = await create();
  await send("POST", `${LABELERS}/${id}/pause`);
  await countMissed(api.redis.redis, id, 3);
  const resumed = await Promise.all(Array.from({ length: 8 }, () => resume(id)));
  expect(resumed.filter(({ run }) => run !== null)).toHaveLength(1);
});

test("a labeler that is deleted is gone with its events, and its runs are canceled", async () => {
  const { id } = await create();
  const run = await jsonOf<Run>(startRun(id));
  expect((await send("DELETE", `${LABELERS}/${id}`)).status).toBe(204);
  expect((await api.request(`${LABELERS}/${id}`)).status).toBe(404);
  expect((await send("DELETE", `${LABELERS}/${id}`)).status).toBe(404);
  expect(await jsonOf<Run>(api.request(`${LABELERS}/${id}/runs/${run.id}`))).toMatchObject({
    status: "canceling",
  });
  expect(await isPaused(api.redis.redis, id)).toBe(true);
});
