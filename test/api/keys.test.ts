import { afterAll, beforeAll, expect, test } from "vitest";
import type { ApiKey } from "../../shared/contracts/api-key.ts";
import type { Problem } from "../../shared/contracts/error.ts";
import { redisKeys } from "../../shared/keys.ts";
import { newId } from "../../shared/new-id.ts";
import { makeKey } from "./support/make-key.ts";
import { startTestApi } from "./support/test-api.ts";
import type { TestApi } from "./support/test-api.ts";

const KEYS = "/v1/api-keys";

let api: TestApi;
beforeAll(async () => {
  api = await startTestApi();
});
afterAll(() => api.close());

type Headers = Record<string, string>;
const problemOf = async (response: Response) => (await response.json()) as Problem;
const revoke = (id: string, headers: Headers = {}) =>
  api.request(`${KEYS}/${id}`, { method: "DELETE", headers });
const listOf = async (path = KEYS, headers: Headers = {}) => {
  const response = await api.request(path, { headers });
  expect(response.status).toBe(200);
  return (await response.json()) as { data: ApiKey[]; next_cursor: string | null };
};
const idsOf = ({ data }: { data: ApiKey[] }) => data.map(({ id }) => id);
const look = (headers: Headers) => api.request("/v1/webhook-secret", { headers });

test("a new key is shown once and works at once", async () => {
  const { key, shown, headers } = await makeKey(api, { name: "importer", scopes: ["admin"] });
  expect(key).toMatch(/^tl_[0-9a-z]{26}_[0-9a-f]{64}$/);
  expect(shown).toMatchObject({ name: "importer", tenant: "default", scopes: ["admin"], revoked_at: null });
  expect((await look(headers)).status).toBe(200);
  expect(JSON.stringify(await listOf())).not.toContain(key.split("_")[2]);
});

test("neither a key nor its secret part is in Redis or in the log", async () => {
  const { key } = await makeKey(api);
  const { redis } = api.redis;
  const names = await redis.keys("*");
  const hashes = await Promise.all(names.map(async (name) => [await redis.type(name), name] as const));
  const kept = hashes.filter(([type]) => type === "hash").map(([, name]) => redis.hgetall(name));
  const all = JSON.stringify([names, await Promise.all(kept), api.logLines]);
  expect(all).toContain(key.split("_")[1]);
  expect(all).not.toContain(key.split("_")[2]);
});

test("a revoked key is refused from the next request on, and shown as revoked for a month", async () => {
  const { shown, headers } = await makeKey(api);
  expect((await look(headers)).status).toBe(200);
  const response = await revoke(shown.id);
  expect(response.status).toBe(200);
  const { revoked_at } = (await response.json()) as ApiKey;
  const problem = await problemOf(await look(headers));
  expect(problem).toMatchObject({ status: 401, detail: `This API key was revoked at ${revoked_at}.` });
  expect((await listOf()).data.find(({ id }) => id === shown.id)?.revoked_at).toBe(revoked_at);
  expect(await api.redis.redis.ttl(redisKeys.apiKey(shown.id))).toBeGreaterThan(29 * 86_400);
});

test("revoking a key again changes nothing", async () => {
  const { shown } = await makeKey(api);
  const first = await (await revoke(shown.id)).json();
  expect(await (await revoke(shown.id)).json()).toEqual(first);
});

test("a key may revoke itself", async () => {
  const { shown, headers } = await makeKey(api);
  expect((await revoke(shown.id, headers)).status).toBe(200);
  expect((await revoke(shown.id, headers)).status).toBe(401);
});

test("a key that is not there cannot be revoked", async () => {
  const id = newId("key");
  expect(await problemOf(await revoke(id))).toMatchObject({
    status: 404,
    detail: `There is no API key ${id}.`,
  });
});

test("keys are listed a page at a time, the newest first, and the forgotten left out", async () => {
  const tenant = "pages";
  const made = await Promise.all([1, 2, 3, 4, 5].map(() => makeKey(api, { tenant })));
  // Of those made in the same millisecond any may be the newest.
  const newestFirst = made.toSorted((a, b) => (a.shown.id < b.shown.id ? 1 : -1));
  const [fifth, fourth, third, second, first] = newestFirst.map(({ shown }) => shown.id);
  await api.redis.redis.del(redisKeys.apiKey(third ?? ""));
  const { headers } = newestFirst[0] ?? { headers: {} };
  const newest = await listOf(`${KEYS}?limit=2`, headers);
  expect(idsOf(newest)).toEqual([fifth, fourth]);
  const response = await api.request(`${KEYS}?limit=2&cursor=${newest.next_cursor}`, { headers });
  const next = (await response.json()) as typeof newest;
  expect(idsOf(next)).toEqual([second]);
  expect(response.headers.get("link")).toMatch(
    new RegExp(`^<https://tresline.example/v1/api-keys\\?limit=2&cursor=${next.next_cursor}>; rel="next"$`),
  );
  const last = await listOf(`${KEYS}?limit=2&cursor=${next.next_cursor}`, headers);
  expect(idsOf(last)).toEqual([first]);
  expect(last.next_cursor).toBeNull();
});

test("the service's own key sees and revokes the keys of all tenants", async () => {
  const { shown } = await makeKey(api, { tenant: "acme" });
  expect((await listOf()).data.map(({ id }) => id)).toContain(shown.id);
  expect((await revoke(shown.id)).status).toBe(200);
});

test("a tenant's admin makes, sees and revokes the keys of that tenant alone", async () => {
  const { shown: foreign } = await makeKey(api, { tenant: "others" });
  const { headers } = await makeKey(api, { tenant: "mine" });
  const own = await api.post(KEYS, { name: "second", scopes: ["read"] }, headers);
  expect(await own.json()).toMatchObject({ tenant: "mine", scopes: ["read"] });
  const refused = await api.post(KEYS, { name: "spy", scopes: ["read"], tenant: "others" }, headers);
  expect(await problemOf(refused)).toMatchObject({
    status: 403,
    code: "forbidden",
    detail:
      'This key makes keys of the tenant "mine" alone; those of others are made with the service\'s own API_KEY.',
  });
  const { data } = await listOf(KEYS, headers);
  expect(data.map(({ tenant }) => tenant)).toEqual(["mine", "mine"]);
  expect((await revoke(foreign.id, headers)).status).toBe(404);
  expect((await listOf()).data.find(({ id }) => id === foreign.id)?.revoked_at).toBeNull();
});

test("an admin of the tenant default is not who runs the service", async () => {
  const { headers } = await makeKey(api);
  const refused = await api.post(KEYS, { name: "spy", scopes: ["read"], tenant: "acme" }, headers);
  expect(refused.status).toBe(403);
});

test("the use of a key is noted once a minute at most", async () => {
  const { shown, headers } = await makeKey(api);
  const { redis } = api.redis;
  const usedAt = () => redis.hget(redisKeys.apiKey(shown.id), "last_used_at");
  expect(await usedAt()).toBeNull();
  await look(headers);
  const first = await usedAt();
  expect(Date.now() - Date.parse(first ?? "")).toBeLessThan(60_000);
  await look(headers);
  expect(await usedAt()).toBe(first);
  const before = new Date(Date.now() - 61_000).toISOString();
  await redis.hset(redisKeys.apiKey(shown.id), { last_used_at: before });
  await look(headers);
  expect(Date.parse((await usedAt()) ?? "")).toBeGreaterThan(Date.parse(before));
});

test.each([
  ["no name", { scopes: ["read"] }, "/name"],
  ["no scopes", { name: "x" }, "/scopes"],
  ["an empty list of scopes", { name: "x", scopes: [] }, "/scopes"],
  ["a scope of no such name", { name: "x", scopes: ["write"] }, "/scopes/0"],
  ["a scope twice", { name: "x", scopes: ["read", "read"] }, "/scopes"],
  ["a tenant that cannot be a name", { name: "x", scopes: ["read"], tenant: "A:B" }, "/tenant"],
])("a key with %s is not made", async (_of, body, pointer) => {
  const problem = await problemOf(await api.post(KEYS, body));
  expect(problem).toMatchObject({ status: 400, errors: [{ pointer }] });
});
