import { afterAll, beforeAll, expect, test } from "vitest";
import { writeManifest } from "../../shared/batch-manifest.ts";
import type { Problem } from "../../shared/contracts/error.ts";
import type { Run } from "../../shared/contracts/labeler.ts";
import { redisKeys, storageKeys } from "../../shared/keys.ts";
import { newId } from "../../shared/new-id.ts";
import { queueNames } from "../../shared/queue.ts";
import { endBatch, forgetBatch, getBatchState, startBatch } from "../../shared/state/batches.ts";
import { jsonOf, labelerCalls } from "./support/labeler-calls.ts";
import { startTestApi } from "./support/test-api.ts";
import type { TestApi } from "./support/test-api.ts";

const LABELERS = "/v1/labelers";

let api: TestApi;
beforeAll(async () => {
  api = await startTestApi({ S3_SOURCE_BUCKETS: "photos,reports" });
});
afterAll(() => api.close());

const { send, create, startRun, scanJobsOf } = labelerCalls(() => api);

/** Ends a run as a worker would: storage has its manifest, and Redis forgets it. */
async function endRun(id: string): Promise<void> {
  await startBatch(api.redis.redis, id);
  await endBatch(api.redis.redis, id, "completed", new Date().toISOString());
  const state = await getBatchState(api.redis.redis, id);
  if (state === undefined) throw new Error(`${id} is not known.`);
  await writeManifest(api.deps.storage, state);
  await forgetBatch(api.redis.redis, id);
}

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
