import { OpenAPIHono } from "@hono/zod-openapi";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import type { ApiEnv } from "../../api/env.ts";
import { CREATING, idempotency } from "../../api/middleware/idempotency.ts";
import { problemJson } from "../../api/middleware/problem-json.ts";
import type { Problem } from "../../shared/contracts/error.ts";
import { redisKeys } from "../../shared/keys.ts";
import { describedRoutes } from "./support/check-response.ts";
import { idOf, isReplayed, json, keyedRequests, named, newKey } from "./support/keyed-requests.ts";
import { problemOf } from "./support/problem-of.ts";
import { startTestApi } from "./support/test-api.ts";
import type { TestApi } from "./support/test-api.ts";

const CLASSIFICATIONS = "/v1/classifications";
const image = { url: "https://example.com/cat.jpg" };
const DAY_MS = 86_400_000;

let api: TestApi;
beforeAll(async () => {
  api = await startTestApi({ S3_SOURCE_BUCKETS: "photos" });
});
afterAll(() => api.close());

const { create, countJobs } = keyedRequests(() => api);

test("the same request is answered as the first time, and makes nothing new", async () => {
  const key = newKey();
  const before = await countJobs();
  const first = await create(key);
  expect(first.status).toBe(202);
  expect(isReplayed(first)).toBe(false);
  const again = await create(key);
  expect(again.status).toBe(202);
  expect(isReplayed(again)).toBe(true);
  for (const name of ["location", "retry-after", "content-type"])
    expect(again.headers.get(name)).toBe(first.headers.get(name));
  expect(await again.json()).toEqual(await first.json());
  expect(await countJobs()).toBe(before + 1);
});

test("of fifty at once one is done, and the others wait or are answered like it", async () => {
  const key = newKey();
  const before = await countJobs();
  const responses = await Promise.all(Array.from({ length: 50 }, () => create(key)));
  const [done = [], waiting = []] = [202, 409].map((status) =>
    responses.filter((response) => response.status === status),
  );
  expect(done.length + waiting.length).toBe(50);
  expect(new Set(await Promise.all(done.map(idOf))).size).toBe(1);
  expect(done.filter((response) => !isReplayed(response))).toHaveLength(1);
  expect(await countJobs()).toBe(before + 1);
  for (const response of waiting) {
    expect(response.headers.get("retry-after")).toBe("1");
    expect(await problemOf(response)).toMatchObject({
      code: "conflict",
      detail:
        "The first request with this Idempotency-Key has not been answered yet; send it again in a moment.",
    });
  }
});

test("while the first waits for its labels the second is told to wait, and afterwards answered like it", async () => {
  const key = newKey();
  const client = new AbortController();
  const body = JSON.stringify({ image });
  const headers = named(key, { "content-type": "application/json" });
  const first = api.request(CLASSIFICATIONS, {
    method: "POST",
    headers: { ...headers, prefer: "wait=50" },
    body,
    signal: client.signal,
  });
  await expect.poll(() => api.redis.redis.exists(redisKeys.idempotency("default", key))).toBe(1);
  expect((await create(key)).status).toBe(409);
  client.abort();
  const id = await idOf(await first);
  const again = await create(key);
  expect(isReplayed(again)).toBe(true);
  expect(again.headers.get("preference-applied")).toBe("wait=50");
  expect(await idOf(again)).toBe(id);
});

test("an answer is kept for a day, and nothing for a request without a key", async () => {
  const key = newKey();
  await create(key);
  const left = await api.redis.redis.pttl(redisKeys.idempotency("default", key));
  expect(left).toBeGreaterThan(DAY_MS - 60_000);
  expect(left).toBeLessThanOrEqual(DAY_MS);
  const kept = () => api.redis.redis.keys(redisKeys.idempotency("*", "*"));
  const before = (await kept()).length;
  const responses = [await api.post(CLASSIFICATIONS, { image }), await api.post(CLASSIFICATIONS, { image })];
  expect(new Set(await Promise.all(responses.map(idOf))).size).toBe(2);
  expect(await kept()).toHaveLength(before);
});

test("a request that takes long is held on to", async () => {
  vi.useFakeTimers({ toFake: ["setInterval", "clearInterval"] });
  try {
    const key = newKey();
    const client = new AbortController();
    const [path, init] = json({ image }, named(key, { prefer: "wait=50" }));
    const first = api.request(path, { ...init, signal: client.signal });
    const redisKey = redisKeys.idempotency("default", key);
    await expect.poll(() => api.redis.redis.exists(redisKey)).toBe(1);
    await api.redis.redis.pexpire(redisKey, 9_000);
    vi.advanceTimersByTime(5_000);
    await expect.poll(() => api.redis.redis.pttl(redisKey)).toBeGreaterThan(9_000);
    client.abort();
    await first;
    expect(vi.getTimerCount()).toBe(0);
  } finally {
    vi.useRealTimers();
  }
});

test("an answer that is too large to be kept is not given again, and nothing is done again either", async () => {
  let times = 0;
  const app = new OpenAPIHono<ApiEnv>();
  app.onError(problemJson(api.deps.logger));
  app.use(async (c, next) => {
    c.set("tenant", "default");
    await next();
  });
  app.post("/large", idempotency(api.deps), (c) => {
    times++;
    return c.text("x".repeat(300_000));
  });
  const init = { method: "POST", headers: named(newKey()) };
  expect(await (await app.request("/large", init)).text()).toHaveLength(300_000);
  const again = (await (await app.request("/large", init)).json()) as Problem;
  expect(again).toMatchObject({
    code: "conflict",
    detail:
      "The first request with this Idempotency-Key was accepted; its answer was too large to be kept and is not given again.",
  });
  expect(times).toBe(1);
});

/** The operations whose description has the header, as Hono spells their paths. */
const described = () =>
  describedRoutes(api.app).flatMap(({ path, request }) =>
    request?.headers && "idempotency-key" in request.headers.shape
      ? [path.replaceAll(/\{(\w+)\}/g, ":$1")]
      : [],
  );

test("the operations that take a key are those that say so", () => {
  expect(described().toSorted()).toEqual([...CREATING].toSorted());
});

test.each([
  ["/v1/batches", { items: [{ custom_id: "cat", image }] }],
  ["/v1/labelers", { bucket: "photos" }],
])("POST %s creates once", async (path, body) => {
  const key = newKey();
  const first = await api.post(path, body, named(key));
  const again = await api.post(path, body, named(key));
  expect([first.ok, again.status, isReplayed(again)]).toEqual([true, first.status, true]);
  expect(again.headers.get("location")).toBe(first.headers.get("location"));
  expect(await again.json()).toEqual(await first.json());
});

test("an endpoint is sent one test message however often the request is sent", async () => {
  const { id } = (await (
    await api.post("/v1/webhook-endpoints", { url: "https://example.com/hooks" })
  ).json()) as { id: string };
  const key = newKey();
  const once = async () => idOf(await api.post(`/v1/webhook-endpoints/${id}/test`, "", named(key)));
  expect(await once()).toBe(await once());
});

test.each([
  ["/v1/api-keys", { name: "x", scopes: ["read"] }],
  ["/v1/webhook-endpoints", { url: "https://example.com/hooks" }],
])("what POST %s makes is a secret, and is never kept to be shown again", async (path, body) => {
  const key = newKey();
  const made = await api.post(path, body, named(key));
  expect((await api.post(path, body, named(key))).headers.get("idempotent-replayed")).toBeNull();
  expect(made.status).toBe(201);
  expect(await api.redis.redis.exists(redisKeys.idempotency("default", key))).toBe(0);
});
