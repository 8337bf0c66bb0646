import { afterAll, beforeAll, expect, test } from "vitest";
import { Batch } from "../../shared/contracts/batch.ts";
import { Classification } from "../../shared/contracts/classification.ts";
import { redisKeys } from "../../shared/keys.ts";
import { newId } from "../../shared/new-id.ts";
import { saveResult } from "../../shared/save-result.ts";
import { addNewestId } from "../../shared/state/id-list.ts";
import { queuedClassification } from "../../shared/queued-classification.ts";
import { endBatch } from "../../shared/state/batches.ts";
import { agedId } from "../support/aged-id.ts";
import { imageJob } from "../support/labelling.ts";
import { startTestApi } from "./support/test-api.ts";
import type { TestApi } from "./support/test-api.ts";

const DAYS = 30;
const image = { url: "https://example.com/cat.jpg" };

let api: TestApi;
let forEver: TestApi;
beforeAll(async () => {
  [api, forEver] = await Promise.all([startTestApi({ RETENTION_DAYS: String(DAYS) }), startTestApi()]);
});
afterAll(() => Promise.all([api.close(), forEver.close()]));

const createIn = async (where: TestApi) => ({
  classification: Classification.parse(await (await where.post("/v1/classifications", { image })).json()),
  batch: Batch.parse(
    await (await where.post("/v1/batches", { items: [{ custom_id: "cat", image }] })).json(),
  ),
});

/** Stores a result of a classification that was made so many days ago. */
async function storeResult(days: number): Promise<string> {
  const job = imageJob("/a", { id: agedId("cls", days), webhook: null, feed: null });
  const ended = { ...queuedClassification(job), status: "succeeded" as const, predictions: [] };
  await saveResult({ ...ended, completed_at: new Date().toISOString() }, job, api.deps);
  return job.id;
}

test("classifications and batches say from when they may be deleted, their ends too", async () => {
  const { classification, batch } = await createIn(api);
  for (const { id, created_at, expires_at } of [classification, batch]) {
    const keptMs = Date.parse(expires_at ?? "") - Date.parse(created_at);
    expect(Math.abs(keptMs - DAYS * 86_400_000), id).toBeLessThan(1_000);
  }
  const canceled = await api.post(`/v1/classifications/${classification.id}/cancel`, {});
  expect(await canceled.json()).toMatchObject({ expires_at: classification.expires_at });
  await endBatch(api.redis.redis, batch.id, "canceled", new Date().toISOString());
  const shown: unknown = await (await api.request(`/v1/batches/${batch.id}`)).json();
  expect(shown).toMatchObject({ status: "canceled", expires_at: batch.expires_at });
});

test("without a retention nothing expires", async () => {
  const { classification, batch } = await createIn(forEver);
  expect([classification.expires_at, batch.expires_at]).toEqual([null, null]);
});

const asked = (id: string): [method: string, path: string][] =>
  id.startsWith("cls_")
    ? [
        ["GET", `/v1/classifications/${id}`],
        ["GET", `/v1/classifications/${id}/events`],
        ["POST", `/v1/classifications/${id}/cancel`],
      ]
    : id.startsWith("run_")
      ? [
          ["GET", `/v1/runs/${id}`],
          ["GET", `/v1/labelers/${newId("lbl")}/runs/${id}`],
          ["GET", `/v1/labelers/${newId("lbl")}/runs/${id}/results`],
          ["POST", `/v1/labelers/${newId("lbl")}/runs/${id}/cancel`],
        ]
      : [
          ["GET", `/v1/batches/${id}`],
          ["GET", `/v1/batches/${id}/results`],
          ["GET", `/v1/batches/${id}/events`],
          ["POST", `/v1/batches/${id}/cancel`],
          ["POST", `/v1/batches/${id}/retry`],
          ["DELETE", `/v1/batches/${id}`],
        ];

test.each([
  [DAYS + 1, 410, "gone"],
  [DAYS - 1, 404, "not_found"],
])("what was made %i days ago and is not there is answered with %i", async (days, status, code) => {
  for (const [method, path] of (["cls", "bat", "run"] as const).flatMap((kind) =>
    asked(agedId(kind, days)),
  )) {
    const response = await api.request(path, { method });
    expect(response.status, path).toBe(status);
    expect(await response.json()).toMatchObject({ code });
  }
});

test("the refusal says for how long things are kept", async () => {
  const id = agedId("cls", 31);
  const problem: unknown = await (await api.request(`/v1/classifications/${id}`)).json();
  expect(problem).toMatchObject({ detail: `${id} is older than 30 days, for which things are kept here.` });
});

test("without a retention nothing is gone, however old its id is", async () => {
  for (const [method, path] of [...asked(agedId("cls", 9_000)), ...asked(agedId("bat", 9_000))])
    expect((await forEver.request(path, { method })).status).toBe(404);
});

test("what is past its retention and still there is shown by its id and listed no more", async () => {
  const list = redisKeys.classificationsOfTenant("default");
  const [old, recent] = [await storeResult(DAYS + 1), await storeResult(DAYS - 1)];
  for (const id of [old, recent]) await addNewestId(api.redis.redis, list, id);
  await addNewestId(api.redis.redis, redisKeys.batchesOfTenant("default"), agedId("bat", DAYS + 1));
  expect((await api.request(`/v1/classifications/${old}`)).status).toBe(200);
  const idsOf = async (kind: string) => {
    const shown = (await (await api.request(`/v1/${kind}?limit=100`)).json()) as { data: { id: string }[] };
    return shown.data.map(({ id }) => id);
  };
  expect(await idsOf("classifications")).toContain(recent);
  expect(await idsOf("classifications")).not.toContain(old);
  expect(await idsOf("batches")).toHaveLength(1);
});
