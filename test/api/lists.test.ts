import { afterAll, beforeAll, expect, test } from "vitest";
import { Batch } from "../../shared/contracts/batch.ts";
import { Classification } from "../../shared/contracts/classification.ts";
import { redisKeys } from "../../shared/keys.ts";
import { newId } from "../../shared/new-id.ts";
import { queuedClassification } from "../../shared/queued-classification.ts";
import { saveResult } from "../../shared/save-result.ts";
import { endBatch } from "../../shared/state/batches.ts";
import { addNewestId, pageOfIds } from "../../shared/state/id-list.ts";
import { announceModel } from "../../shared/state/models.ts";
import { makeKey } from "./support/make-key.ts";
import { startTestApi } from "./support/test-api.ts";
import type { TestApi } from "./support/test-api.ts";

const image = { url: "https://example.com/cat.jpg" };

interface List {
  object: string;
  data: { id: string }[];
  next_cursor: string | null;
}
type Headers = Record<string, string>;

let api: TestApi;
let tenants = 0;
beforeAll(async () => {
  api = await startTestApi({ S3_SOURCE_BUCKETS: "photos" });
  await announceModel(api.redis.redis, {
    name: "birds",
    digest: `sha256:${"0".repeat(64)}`,
    num_classes: 2,
    device: "cpu",
    served_at: new Date().toISOString(),
  });
});
afterAll(() => api.close());

/** The header of a key of a tenant that has nothing yet. */
const newTenant = async () => (await makeKey(api, { tenant: `lister-${++tenants}` })).headers;

async function page(path: string, headers: Headers): Promise<List & { link: string | null }> {
  const response = await api.request(path, { headers });
  expect(response.status).toBe(200);
  const link = response.headers.get("link");
  return { ...((await response.json()) as List), link };
}
const idsOf = ({ data }: List) => data.map(({ id }) => id);

/** The ids on this page and on each after it, found by their links alone. */
async function pages(path: string, headers: Headers): Promise<string[][]> {
  const { link, ...list } = await page(path, headers);
  const next = /^<https:\/\/tresline\.example(.*)>; rel="next"$/.exec(link ?? "")?.[1];
  expect(next === undefined).toBe(list.next_cursor === null);
  return [idsOf(list), ...(next === undefined ? [] : await pages(next, headers))];
}

const classify = async (headers: Headers, more: object = {}) => {
  const response = await api.post("/v1/classifications", { image, ...more }, headers);
  return Classification.parse(await response.json());
};
const makeBatch = async (headers: Headers) => {
  const body = { items: [{ custom_id: "cat", image }] };
  return Batch.parse(await (await api.post("/v1/batches", body, headers)).json()).id;
};
const makeLabeler = async (headers: Headers) =>
  ((await (await api.post("/v1/labelers", { bucket: "photos" }, headers)).json()) as { id: string }).id;
const makeEndpoint = async (headers: Headers) =>
  ((await (await api.post("/v1/webhook-endpoints", { url: image.url }, headers)).json()) as { id: string })
    .id;

/** Ends one as a worker would, and takes its job away. */
async function end({ id }: Classification, status: "succeeded" | "failed" = "succeeded"): Promise<void> {
  const found = await api.deps.queues.findClassification(["figures", "birds"], id);
  if (found === undefined) throw new Error(`${id} has no job.`);
  const ended = { ...queuedClassification(found.payload), status, completed_at: new Date().toISOString() };
  await saveResult(ended, found.payload, api.deps);
  await api.deps.queues.removeClassification(found.payload);
}

test.each([
  ["classifications", async (headers: Headers) => (await classify(headers)).id],
  ["batches", makeBatch],
  ["labelers", makeLabeler],
  ["webhook-endpoints", makeEndpoint],
])("GET /v1/%s lists what there is page by page, the newest first, each once", async (kind, make) => {
  const headers = await newTenant();
  const none = await page(`/v1/${kind}`, headers);
  expect(none).toEqual({ object: "list", data: [], next_cursor: null, link: null });
  const made: string[] = [];
  for (let i = 0; i < 5; i++) made.unshift(await make(headers));
  const newestFirst = made.toSorted().toReversed();
  const found = await pages(`/v1/${kind}?limit=2`, headers);
  expect(found).toEqual([newestFirst.slice(0, 2), newestFirst.slice(2, 4), newestFirst.slice(4)]);
  expect(idsOf(await page(`/v1/${kind}?limit=5`, headers))).toEqual(newestFirst);
  expect(idsOf(await page(`/v1/${kind}`, await newTenant()))).toEqual([]);
});

test("the pages of a labeler's runs are those that were started, the latest first", async () => {
  const headers = await newTenant();
  const labeler = await makeLabeler(headers);
  const path = `/v1/labelers/${labeler}/runs`;
  const started: string[] = [];
  for (let i = 0; i < 3; i++) {
    const run = (await (await api.post(path, {}, headers)).json()) as { id: string };
    started.unshift(run.id);
    await endBatch(api.redis.redis, run.id, "completed", new Date().toISOString());
  }
  expect(await pages(`${path}?limit=2`, headers)).toEqual([started.slice(0, 2), started.slice(2)]);
  expect(idsOf(await page(`${path}?cursor=${newId("run")}`, headers))).toEqual([]);
});

test("a page goes on where the one before ended, whatever was made or deleted since", async () => {
  const headers = await newTenant();
  const made: string[] = [];
  for (let i = 0; i < 4; i++) made.unshift(await makeLabeler(headers));
  const [newest = "", second = "", ...rest] = made.toSorted().toReversed();
  const first = await page("/v1/labelers?limit=2", headers);
  expect(idsOf(first)).toEqual([newest, second]);
  await makeLabeler(headers);
  await api.request(`/v1/labelers/${second}`, { method: "DELETE", headers });
  expect(idsOf(await page(`/v1/labelers?limit=2&cursor=${first.next_cursor}`, headers))).toEqual(rest);
});

test.each([
  "limit=0",
  "limit=101",
  "limit=1.5",
  "limit=all",
  "cursor=2",
  "cursor=bat_1",
  "status=done",
  "stauts=queued",
])("GET /v1/classifications?%s is refused with the parameter's name", async (query) => {
  const response = await api.request(`/v1/classifications?${query}`);
  expect(response.status).toBe(400);
  expect(await response.json()).toMatchObject({
    code: "invalid_request",
    errors: [{ parameter: query.split("=")[0] }],
  });
});

test("a classification is listed as it is now, moving or ended", async () => {
  const headers = await newTenant();
  const first = await classify(headers, { metadata: { album: "2026" } });
  const second = await classify(headers);
  await end(first);
  const { data } = await page("/v1/classifications", headers);
  const each = await Promise.all(
    data.map(async ({ id }) => (await api.request(`/v1/classifications/${id}`, { headers })).json()),
  );
  expect(data).toEqual(each);
  expect(new Map(data.map((shown) => [shown.id, Classification.parse(shown).status]))).toEqual(
    new Map([
      [first.id, "succeeded"],
      [second.id, "queued"],
    ]),
  );
});

test("status and model choose among them, on every page", async () => {
  const headers = await newTenant();
  const figures = [await classify(headers), await classify(headers)] as const;
  const birds = [await classify(headers, { model: "birds" }), await classify(headers, { model: "birds" })];
  await end(figures[0]);
  await end(figures[1], "failed");
  const found = async (query: string) =>
    (await pages(`/v1/classifications?limit=1&${query}`, headers)).flat();
  expect(await found("status=succeeded")).toEqual([figures[0].id]);
  expect(await found("status=failed&model=figures")).toEqual([figures[1].id]);
  expect(await found("status=failed&model=birds")).toEqual([]);
  const newestBirds = birds
    .map(({ id }) => id)
    .toSorted()
    .toReversed();
  expect(await found("model=birds")).toEqual(newestBirds);
  expect(await found("model=birds&status=queued")).toEqual(newestBirds);
});

test("a filter that matches little looks at so many at a time, and leads on", async () => {
  const headers = await newTenant();
  const wanted = await classify(headers);
  const list = redisKeys.classificationsOfTenant(`lister-${tenants}`);
  for (let i = 0; i < 600; i++) await addNewestId(api.redis.redis, list, newId("cls"));
  const first = await page("/v1/classifications?limit=100&status=queued", headers);
  expect([first.data, first.next_cursor]).toEqual([[], expect.stringMatching(/^cls_/)]);
  const second = await page(
    `/v1/classifications?limit=100&status=queued&cursor=${first.next_cursor}`,
    headers,
  );
  expect([idsOf(second), second.next_cursor]).toEqual([[wanted.id], null]);
});

test("what is neither queued nor stored, since whoever accepted it died, is not listed", async () => {
  const headers = await newTenant();
  const { id } = await classify(headers);
  await addNewestId(api.redis.redis, redisKeys.classificationsOfTenant(`lister-${tenants}`), newId("cls"));
  expect(idsOf(await page("/v1/classifications", headers))).toEqual([id]);
});

test("an image is accepted also when it cannot be listed, and that is logged", async () => {
  const headers = await newTenant();
  await api.redis.redis.set(redisKeys.classificationsOfTenant(`lister-${tenants}`), "no sorted set");
  const { id } = await classify(headers);
  expect((await api.request(`/v1/classifications/${id}`, { headers })).status).toBe(200);
  expect(api.logLines.some((line) => line.includes(id) && line.includes("is not listed"))).toBe(true);
});

test("a list keeps so many and forgets the oldest", async () => {
  const ids = Array.from({ length: 6 }, () => newId("cls"))
    .toSorted()
    .toReversed();
  for (const id of ids.toReversed()) await addNewestId(api.redis.redis, "list", id, 4);
  const { data, next } = await pageOfIds(api.redis.redis, "list", { limit: 10, before: undefined });
  expect([data, next]).toEqual([ids.slice(0, 4), null]);
});

test("a batch that is deleted is listed no more", async () => {
  const headers = await newTenant();
  const [gone, stays] = [await makeBatch(headers), await makeBatch(headers)];
  await endBatch(api.redis.redis, gone, "completed", new Date().toISOString());
  await api.request(`/v1/batches/${gone}`, { method: "DELETE", headers });
  expect(idsOf(await page("/v1/batches", headers))).toEqual([stays]);
  expect(await api.redis.redis.zcard(redisKeys.batchesOfTenant(`lister-${tenants}`))).toBe(1);
});
