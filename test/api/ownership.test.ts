import { readdirSync } from "node:fs";
import { afterAll, beforeAll, expect, test } from "vitest";
import { writeManifest } from "../../shared/batch-manifest.ts";
import type { Batch } from "../../shared/contracts/batch.ts";
import type { Problem } from "../../shared/contracts/error.ts";
import type { BatchRecord } from "../../shared/contracts/queue-payloads.ts";
import { PermanentError, toItemError } from "../../shared/errors.ts";
import { redisKeys, storageKeys } from "../../shared/keys.ts";
import { newId } from "../../shared/new-id.ts";
import { endBatch, getBatchState, noteFailure, putBatch } from "../../shared/state/batches.ts";
import type { BatchState } from "../../shared/state/batches.ts";
import { API_KEY, PUBLIC_URL, startTestApi } from "./support/test-api.ts";
import type { TestApi } from "./support/test-api.ts";

let api: TestApi;
beforeAll(async () => {
  api = await startTestApi();
});
afterAll(() => api.close());

const problemOf = async (response: Response) => (await response.json()) as Problem;

/** A batch in Redis as this tenant would have made it. */
async function moveBatch(tenant: string): Promise<Batch> {
  return (await putNew(tenant)).batch;
}
async function putNew(tenant: string): Promise<BatchState> {
  const id = newId("bat");
  const record: BatchRecord = {
    id,
    tenant,
    model: "figures",
    top_k: 5,
    threshold: 0,
    source: { type: "items" },
    output_formats: [],
    deadline: null,
    expires_at: null,
    metadata: { secret: "of its owner" },
    webhook: null,
    created_at: new Date().toISOString(),
    url: `${PUBLIC_URL}/v1/batches/${id}`,
  };
  await putBatch(api.redis.redis, record, 3);
  const state = await getBatchState(api.redis.redis, id);
  if (state === undefined) throw new Error(`${id} was not written.`);
  return state;
}

/** A completed batch in storage alone. */
async function storeBatch(tenant: string): Promise<Batch> {
  const state = await putNew(tenant);
  const batch: Batch = { ...state.batch, status: "completed", progress: 1 };
  await api.redis.redis.del(redisKeys.batch(batch.id));
  await writeManifest(api.deps.storage, { ...state, batch });
  await api.deps.storage.put(storageKeys.batchResults(batch.id), "", { contentType: "application/x-ndjson" });
  return batch;
}

test("a batch is told to its owner, from Redis while it moves and from storage after", async () => {
  for (const batch of [await moveBatch("default"), await storeBatch("default")]) {
    const response = await api.request(`/v1/batches/${batch.id}`);
    expect(response.status).toBe(200);
    expect(await response.json()).toEqual(batch);
  }
});

test("another tenant's batch is not found, wherever it is", async () => {
  for (const { id } of [await moveBatch("other"), await storeBatch("other")])
    for (const path of [`/v1/batches/${id}`, `/v1/batches/${id}/results`]) {
      const problem = await problemOf(await api.request(path));
      expect(problem).toMatchObject({ status: 404, code: "not_found", detail: `There is no batch ${id}.` });
    }
});

test("the results of a batch that has not ended are refused with how far it is", async () => {
  const { id } = await moveBatch("default");
  const problem = await problemOf(await api.request(`/v1/batches/${id}/results`));
  expect(problem).toMatchObject({ status: 409, code: "conflict" });
  expect(problem.detail).toBe(
    "The batch is validating, 0 % of its items have ended; its results are here once all have.",
  );
});

test("the results of a batch that failed are refused with the reason", async () => {
  const { id } = await moveBatch("default");
  const reason = new PermanentError("fetch_failed", "The manifest is damaged.");
  await noteFailure(api.redis.redis, id, toItemError(reason));
  await endBatch(api.redis.redis, id, "failed", new Date().toISOString());
  const problem = await problemOf(await api.request(`/v1/batches/${id}/results`));
  expect(problem).toMatchObject({ status: 409, code: "conflict" });
  expect(problem.detail).toBe("The batch has no results, for it failed: The manifest is damaged.");
});

test("results that are no longer stored are not found", async () => {
  const { id } = await storeBatch("default");
  await api.deps.storage.delete(storageKeys.batchResults(id));
  const problem = await problemOf(await api.request(`/v1/batches/${id}/results`));
  expect(problem).toMatchObject({ status: 404, detail: `The results of batch ${id} are no longer stored.` });
});

const openFiles = () => readdirSync("/proc/self/fd").length;

test("asking only for the headers of results leaves no file open", async () => {
  const { id } = await storeBatch("default");
  const lines = "{}\n".repeat(1_000_000);
  await api.deps.storage.put(storageKeys.batchResults(id), lines, { contentType: "application/x-ndjson" });
  const before = openFiles();
  for (let times = 0; times < 50; times++) {
    const response = await api.app.request(`/v1/batches/${id}/results`, {
      method: "HEAD",
      headers: { authorization: `Bearer ${API_KEY}` },
    });
    expect(response.status).toBe(200);
  }
  await expect.poll(openFiles).toBeLessThan(before + 10);
});

test("another tenant's result is not found", async () => {
  const id = newId("cls");
  const key = storageKeys.result("other", id);
  await api.deps.storage.put(key, "{}", { contentType: "application/json" });
  expect(await problemOf(await api.request(`/v1/classifications/${id}`))).toMatchObject({ status: 404 });
});

test("a result that a worker of another version wrote in a way not understood shows nothing of its inside", async () => {
  const id = newId("cls");
  const key = storageKeys.result("default", id);
  await api.deps.storage.put(key, '{"secret": 1}', { contentType: "application/json" });
  const problem = await problemOf(await api.request(`/v1/classifications/${id}`));
  expect(problem).toMatchObject({ status: 500, code: "internal" });
  expect(problem.detail).toBe(
    "The request could not be handled because of a fault on our side. Try again; it is logged under the request_id.",
  );
  expect(api.logLines.some((line) => line.includes(problem.request_id) && line.includes('"level":50'))).toBe(
    true,
  );
});

const secretOf = async () =>
  ((await (await api.request("/v1/webhook-secret")).json()) as { secret: string }).secret;

test("the webhook secret is one that Standard Webhooks libraries take, and the same each time", async () => {
  const secret = await secretOf();
  expect(secret).toMatch(/^whsec_[A-Za-z0-9+/]{43}=$/);
  expect(await secretOf()).toBe(secret);
});

test("health needs no key", async () => {
  expect((await api.app.request("/healthz")).status).toBe(200);
  expect((await api.app.request("/readyz")).status).toBe(200);
});
