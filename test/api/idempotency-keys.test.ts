import { afterAll, beforeAll, expect, test } from "vitest";
import { redisKeys } from "../../shared/keys.ts";
import { idOf, isReplayed, json, keyedRequests, named, newKey, png } from "./support/keyed-requests.ts";
import type { Sent } from "./support/keyed-requests.ts";
import { makeKey } from "./support/make-key.ts";
import { problemOf } from "./support/problem-of.ts";
import { startTestApi } from "./support/test-api.ts";
import type { TestApi } from "./support/test-api.ts";

const CLASSIFICATIONS = "/v1/classifications";
const image = { url: "https://example.com/cat.jpg" };

let api: TestApi;
beforeAll(async () => {
  api = await startTestApi();
});
afterAll(() => api.close());

const { create, send } = keyedRequests(() => api);

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
