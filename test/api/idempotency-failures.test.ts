import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { OpenAPIHono } from "@hono/zod-openapi";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { ApiEnv } from "../../api/env.ts";
import { idempotency } from "../../api/middleware/idempotency.ts";
import { problemJson } from "../../api/middleware/problem-json.ts";
import { AppError } from "../../shared/errors.ts";
import { redisKeys } from "../../shared/keys.ts";
import { queueNames } from "../../shared/queue.ts";
import { startBatch } from "../../shared/state/batches.ts";
import { announceModel } from "../../shared/state/models.ts";
import { readQueue } from "../support/queue-reader.ts";
import { idOf, isReplayed, json, keyedRequests, named, newKey, png } from "./support/keyed-requests.ts";
import { startTestApi } from "./support/test-api.ts";
import type { TestApi } from "./support/test-api.ts";

const CLASSIFICATIONS = "/v1/classifications";
const image = { url: "https://example.com/cat.jpg" };

let api: TestApi;
beforeAll(async () => {
  api = await startTestApi({ S3_SOURCE_BUCKETS: "photos" });
});
afterAll(() => api.close());

const { create, send, countJobs } = keyedRequests(() => api);

test("the key of a request that a server has died with is free again after seconds", async () => {
  const key = newKey();
  const client = new AbortController();
  const [path, init] = json({ image }, named(key, { prefer: "wait=50" }));
  const first = api.request(path, { ...init, signal: client.signal });
  const redisKey = redisKeys.idempotency("default", key);
  await expect.poll(() => api.redis.redis.pttl(redisKey)).toBeGreaterThan(0);
  expect(await api.redis.redis.pttl(redisKey)).toBeLessThanOrEqual(15_000);
  await api.redis.redis.pexpire(redisKey, 1);
  await expect.poll(() => api.redis.redis.exists(redisKey)).toBe(0);
  const second = await create(key);
  expect(second.status).toBe(202);
  expect(isReplayed(second)).toBe(false);
  const id = await idOf(second);
  client.abort();
  await first;
  expect(await idOf(await create(key)), "the first, which comes too late, changes nothing").toBe(id);
});

/** What is left of a request when its server has died after it had accepted it and before it kept the answer, once its hold has run out. */
const dieUnanswered = (key: string) => api.redis.redis.del(redisKeys.idempotency("default", key));

test.each([
  [CLASSIFICATIONS, { image }],
  ["/v1/batches", { items: [{ custom_id: "cat", image }] }],
  ["/v1/labelers", { bucket: "photos", prefix: "died/" }],
])(
  "POST %s that is sent again after its server has died with the answer creates the same, once",
  async (path, body) => {
    const key = newKey();
    const id = await idOf(await api.post(path, body, named(key)));
    const before = await countEverything();
    await dieUnanswered(key);
    const again = await api.post(path, body, named(key));
    expect(isReplayed(again)).toBe(false);
    expect(await idOf(again)).toBe(id);
    expect(await countEverything()).toEqual(before);
  },
);

/** How many jobs and how many resources there are. */
async function countEverything() {
  const { redis } = api.redis;
  return {
    classifications: await countJobs(),
    scans: (await readQueue(redis, queueNames.scan)).length,
    batches: (await redis.keys(redisKeys.batch("*"))).length,
    labelers: (await redis.keys(redisKeys.labeler("*"))).length,
  };
}

test("a batch that goes on is left as it is by the request that made it, sent again", async () => {
  const key = newKey();
  const body = { items: [{ custom_id: "cat", image }] };
  const id = await idOf(await api.post("/v1/batches", body, named(key)));
  await startBatch(api.redis.redis, id);
  await dieUnanswered(key);
  expect(await (await api.post("/v1/batches", body, named(key))).json()).toMatchObject({
    id,
    status: "in_progress",
  });
});

test("a run that goes on is answered again by the request that started it, and by no other", async () => {
  const labeler = await idOf(await api.post("/v1/labelers", { bucket: "photos", prefix: "runs/" }));
  const start = (key: string) => api.post(`/v1/labelers/${labeler}/runs`, {}, named(key));
  const key = newKey();
  const id = await idOf(await start(key));
  await dieUnanswered(key);
  const again = await start(key);
  expect(again.status).toBe(202);
  expect(await idOf(again)).toBe(id);
  expect((await start(newKey())).status).toBe(409);
});

test("a request that failed on our side after it had created something creates the same again, and another one does not", async () => {
  const made: string[] = [];
  const app = new OpenAPIHono<ApiEnv>();
  app.onError(problemJson(api.deps.logger));
  app.use(async (c, next) => {
    c.set("tenant", "default");
    await next();
  });
  app.post("/make", idempotency(api.deps), (c) => {
    made.push(c.get("newId")("cls"));
    throw new AppError(c.req.query("refuse") === undefined ? "internal" : "invalid_request", "No.");
  });
  const make = (key: string, query = "") =>
    app.request(`/make${query}`, { method: "POST", headers: named(key) });
  const key = newKey();
  for (const query of ["", "", "?other"]) expect((await make(key, query)).status).toBe(500);
  expect(made[1]).toBe(made[0]);
  expect(made[2]).not.toBe(made[0]);
  const refused = newKey();
  for (let i = 0; i < 2; i++) expect((await make(refused, "?refuse")).status).toBe(400);
  expect(made[4]).not.toBe(made[3]);
});

test("a request that failed for a fault on our side may be sent again", async () => {
  const key = newKey();
  rmSync(api.directory, { recursive: true, force: true });
  writeFileSync(api.directory, "a file where the directory was");
  try {
    expect((await send(key, png("image"))).status).toBe(500);
  } finally {
    rmSync(api.directory, { force: true });
    mkdirSync(api.directory);
  }
  const again = await send(key, png("image"));
  expect(again.status).toBe(202);
  expect(isReplayed(again)).toBe(false);
});

test("a request that was refused may be sent again, corrected or not", async () => {
  const key = newKey();
  const wanted = { image, model: "not-yet-served" };
  expect((await create(key, {}, wanted)).status).toBe(404);
  expect((await create(key, {}, { ...wanted, top_k: 0 })).status).toBe(400);
  await announceModel(api.redis.redis, {
    name: wanted.model,
    digest: "sha256:0",
    num_classes: 12,
    device: "cpu",
    served_at: new Date().toISOString(),
  });
  const accepted = await create(key, {}, wanted);
  expect(accepted.status).toBe(202);
  expect(isReplayed(accepted)).toBe(false);
});
