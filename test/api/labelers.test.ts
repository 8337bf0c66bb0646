import { afterAll, beforeAll, expect, test } from "vitest";
import type { Problem } from "../../shared/contracts/error.ts";
import type { Labeler, ResumedLabeler, Run } from "../../shared/contracts/labeler.ts";
import { newId } from "../../shared/new-id.ts";
import { getBatchState, startBatch } from "../../shared/state/batches.ts";
import { putRun } from "../../shared/state/labeler-runs.ts";
import { MAX_LABELERS, countMissed, isPaused, putLabeler } from "../../shared/state/labelers.ts";
import { batchRecord } from "../support/labelling.ts";
import { labelerRecord } from "../support/labeler-record.ts";
import { jsonOf, labelerCalls } from "./support/labeler-calls.ts";
import { PUBLIC_URL, startTestApi } from "./support/test-api.ts";
import type { TestApi } from "./support/test-api.ts";

const LABELERS = "/v1/labelers";

let api: TestApi;
beforeAll(async () => {
  api = await startTestApi({ S3_SOURCE_BUCKETS: "photos,reports" });
});
afterAll(() => api.close());

const { send, create, startRun, scanJobsOf } = labelerCalls(() => api);
const get = (id: string) => jsonOf<Labeler>(api.request(`${LABELERS}/${id}`));
const resume = (id: string) => jsonOf<ResumedLabeler>(send("POST", `${LABELERS}/${id}/resume`));

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
