import { afterAll, beforeAll, expect, test } from "vitest";
import type { Problem } from "../../shared/contracts/error.ts";
import { redisKeys } from "../../shared/keys.ts";
import { newId } from "../../shared/new-id.ts";
import { makeKey } from "./support/make-key.ts";
import { startTestApi } from "./support/test-api.ts";
import type { TestApi } from "./support/test-api.ts";

const QUOTA = 20;
const PATH = `/v1/batches/${newId("bat")}`;

let api: TestApi;
let unlimited: TestApi;
beforeAll(async () => {
  [api, unlimited] = await Promise.all([
    startTestApi({ RATE_LIMIT_PER_MINUTE: String(QUOTA) }),
    startTestApi(),
  ]);
});
afterAll(() => Promise.all([api.close(), unlimited.close()]));

/** A key that nobody has used yet. It is made behind the limit of the key that makes it. */
async function freshKey() {
  await api.redis.redis.del(redisKeys.rateLimit("own"));
  return makeKey(api);
}

/** What an answer tells of the quota: how many are left, and in how many seconds it is whole again. */
function quotaOf({ headers }: Response) {
  expect(headers.get("ratelimit-policy")).toBe(`"default";q=${QUOTA};w=60`);
  const [, left, seconds] = /^"default";r=(\d+);t=(\d+)$/.exec(headers.get("ratelimit") ?? "") ?? [];
  return { left: Number(left), seconds: Number(seconds) };
}

test("a key may send as many requests a minute as it may, and is told how many are left", async () => {
  const { headers } = await freshKey();
  for (let left = QUOTA - 1; left >= 0; left--) {
    const response = await api.request(PATH, { headers });
    expect(response.status).toBe(404);
    const quota = quotaOf(response);
    expect(quota.left).toBe(left);
    expect(quota.seconds).toBeGreaterThan(0);
    expect(quota.seconds).toBeLessThanOrEqual(60);
  }
  const refused = await api.request(PATH, { headers });
  const { left, seconds } = quotaOf(refused);
  expect([refused.status, left]).toEqual([429, 0]);
  expect(refused.headers.get("retry-after")).toBe(String(seconds));
  expect((await refused.json()) as Problem).toMatchObject({
    code: "rate_limited",
    detail: `This key may send ${QUOTA} requests a minute. Send the next in ${seconds} s.`,
  });
});

test("of requests sent at once no more pass than may", async () => {
  const { headers } = await freshKey();
  const responses = await Promise.all(
    Array.from({ length: QUOTA + 15 }, () => api.request(PATH, { headers })),
  );
  expect(responses.filter(({ status }) => status === 429)).toHaveLength(15);
});

test("each key has a quota of its own, the service's own key too", async () => {
  const [first, second] = [await freshKey(), await freshKey()];
  for (let count = 0; count < 3; count++) await api.request(PATH, { headers: first.headers });
  expect(quotaOf(await api.request(PATH, { headers: second.headers })).left).toBe(QUOTA - 1);
  await api.redis.redis.del(redisKeys.rateLimit("own"));
  expect(quotaOf(await api.request(PATH)).left).toBe(QUOTA - 1);
});

test("the quota is whole again when its minute is over", async () => {
  const { headers, shown } = await freshKey();
  for (let count = 0; count <= QUOTA; count++) await api.request(PATH, { headers });
  expect((await api.request(PATH, { headers })).status).toBe(429);
  const redisKey = redisKeys.rateLimit(shown.id);
  expect(await api.redis.redis.pttl(redisKey)).toBeGreaterThan(0);
  await api.redis.redis.pexpire(redisKey, 1);
  await expect.poll(() => api.redis.redis.exists(redisKey)).toBe(0);
  expect(quotaOf(await api.request(PATH, { headers })).left).toBe(QUOTA - 1);
});

test("requests within the minute do not make it longer, nor do those that are refused", async () => {
  const { headers, shown } = await freshKey();
  await api.request(PATH, { headers });
  const redisKey = redisKeys.rateLimit(shown.id);
  await api.redis.redis.pexpire(redisKey, 30_000);
  for (let count = 0; count <= QUOTA; count++) await api.request(PATH, { headers });
  expect(await api.redis.redis.pttl(redisKey)).toBeLessThanOrEqual(30_000);
});

test("whatever is answered under /v1 tells of the quota, and a request without a key counts for nobody", async () => {
  const { headers } = await freshKey();
  const image = { url: "https://example.com/cat.jpg" };
  const answers = [
    await api.post("/v1/classifications", { image }, headers),
    await api.post("/v1/classifications", {}, headers),
    await api.request("/v1/nothing", { headers }),
    await api.request("/v1/labelers", { headers }),
  ];
  expect(answers.map(({ status }) => status)).toEqual([202, 400, 404, 200]);
  expect(answers.map((answer) => quotaOf(answer).left)).toEqual([1, 2, 3, 4].map((sent) => QUOTA - sent));
  const unknown = await api.request(PATH, { headers: { authorization: "Bearer nobody" } });
  expect(unknown.headers.get("ratelimit")).toBeNull();
});

test("without a limit nothing is counted and nothing told", async () => {
  const response = await unlimited.request(PATH);
  expect(response.headers.get("ratelimit")).toBeNull();
  expect(await unlimited.redis.redis.keys(redisKeys.rateLimit("*"))).toEqual([]);
});
