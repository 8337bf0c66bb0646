import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { OpenAPIHono } from "@hono/zod-openapi";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import type { ApiEnv } from "../../api/env.ts";
import { CREATING, idempotency } from "../../api/middleware/idempotency.ts";
import { problemJson } from "../../api/middleware/problem-json.ts";
import type { Problem } from "../../shared/contracts/error.ts";
import { AppError } from "../../shared/errors.ts";
import { redisKeys } from "../../shared/keys.ts";
import { queueNames } from "../../shared/queue.ts";
import { startBatch } from "../../shared/state/batches.ts";
import { announceModel } from "../../shared/state/models.ts";
import { readQueue } from "../support/queue-reader.ts";
import { describedRoutes } from "./support/check-response.ts";
import { makeKey } from "./support/make-key.ts";
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

type Headers = Record<string, string>;
const problemOf = async (response: Response) => (await response.json()) as Problem;
const newKey = () => crypto.randomUUID();
const named = (key: string, more: Headers = {}) => ({ "idempotency-key": key, ...more });
const create = (key: string, more: Headers = {}, body: unknown = { image }) =>
  api.post(CLASSIFICATIONS, body, named(key, more));
const idOf = async (response: Response) => ((await response.json()) as { id: string }).id;
const isReplayed = ({ headers }: Response) => headers.get("idempotent-replayed") === "true";
/** How many jobs lie in the queues of `figures`. */
async function countJobs(): Promise<number> {
  return (await readQueue(api.redis.redis, queueNames.classify("figures", "interactive"))).length;
}

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

const png = (bytes: string, query = "", type = "image/png") =>
  [`${CLASSIFICATIONS}${query}`, { method: "POST", headers: { "content-type": type }, body: bytes }] as const;
const json = (body: unknown, headers: Headers = {}, path = CLASSIFICATIONS) =>
  [
    path,
    {
      method: "POST",
      headers: { "content-type": "application/json", ...headers },
      body: JSON.stringify(body),
    },
  ] as const;
type Sent = readonly [path: string, init: { method: string; headers: Headers; body: string }];
const send = (key: string, [path, init]: Sent) =>
  api.request(path, { ...init, headers: named(key, init.headers) });

const OTHERS: [what: string, first: Sent, second: Sent][] = [
  ["another option", json({ image }), json({ image, top_k: 1 })],
  ["another byte of the image", png("image a"), png("image b")],
  ["another option in the query", png("image"), png("image", "?top_k=1")],
  ["another type", png("image"), png("image", "", "image/jpeg")],
  ["another deadline", json({ image }), json({ image }, { "cancel-after": "5m" })],
  ["another resource", json({ image }), json({ items: [{ custom_id: "cat", image }] }, {}, "/v1/batches")],
];

test.each(OTHERS)("a key that was sent before with %s is refused", async (_what, first, second) => {
  const key = newKey();
  expect((await send(key, first)).status).toBe(202);
  expect(await problemOf(await send(key, second))).toMatchObject({
    status: 422,
    code: "idempotency_key_reused",
    detail: "This Idempotency-Key was sent with another request; give this one a key of its own.",
  });
  expect(isReplayed(await send(key, first))).toBe(true);
});

test("a key is refused for another request also while the first is in hand", async () => {
  const key = newKey();
  const client = new AbortController();
  const [path, init] = json({ image }, named(key, { prefer: "wait=50" }));
  const first = api.request(path, { ...init, signal: client.signal });
  await expect.poll(() => api.redis.redis.exists(redisKeys.idempotency("default", key))).toBe(1);
  expect((await create(key, {}, { image, top_k: 1 })).status).toBe(422);
  client.abort();
  expect((await first).status).toBe(202);
});

const formOf = (bytes: string) => {
  const body = new FormData();
  body.set("image", new File([bytes], "cat.png", { type: "image/png" }));
  return body;
};

test("a form that is sent again is the same request, though its boundary is another", async () => {
  const key = newKey();
  const post = (body: FormData) =>
    api.request(CLASSIFICATIONS, { method: "POST", headers: named(key), body });
  const first = await post(formOf("image a\xff"));
  expect(first.status).toBe(202);
  const again = await post(formOf("image a\xff"));
  expect(isReplayed(again)).toBe(true);
  expect(await idOf(again)).toBe(await idOf(first));
  expect((await post(formOf("image a\xfe"))).status).toBe(422);
});

test("each tenant has keys of its own", async () => {
  const key = newKey();
  const { headers } = await makeKey(api, { tenant: "acme" });
  const mine = await idOf(await create(key));
  const theirs = await create(key, headers);
  expect(theirs.status).toBe(202);
  expect(await idOf(theirs)).not.toBe(mine);
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

test.each([
  ["empty", ""],
  ["too long", "k".repeat(256)],
  ["of several words", "two words"],
  ["of letters that no header should have", "schlüssel"],
])("a key that is %s is refused", async (_what, key) => {
  expect(await problemOf(await create(key))).toMatchObject({
    status: 400,
    code: "invalid_request",
    detail: "Idempotency-Key must have 1 to 255 characters of ASCII, none of them a space.",
    errors: [{ header: "idempotency-key" }],
  });
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
