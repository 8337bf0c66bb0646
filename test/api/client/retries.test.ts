import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { createClient } from "../../../api/client/client.ts";
import type { Client } from "../../../api/client/client.ts";
import { busy, figure, troubleOf } from "./client-setup.ts";
import { serveApi } from "./serve-api.ts";
import type { ServedApi } from "./serve-api.ts";

let api: ServedApi;
let client: Client;
beforeAll(async () => {
  api = await serveApi();
  await api.startWorker();
  client = createClient(api);
});
afterAll(() => api.close());
beforeEach(() => {
  api.received.length = 0;
});

test("a busy or broken service is asked again under the same idempotency key, and not before it said", async () => {
  api.troubles.push(busy({ "retry-after": "1" }), busy({}, 429), "drop", busy({}, 500));
  const began = performance.now();
  const { id } = await client.classifications.create(figure());
  expect(id).toMatch(/^cls_/);
  expect(performance.now() - began).toBeGreaterThan(1_000);
  const keys = api.received.map(({ headers }) => headers.get("idempotency-key"));
  expect(keys).toHaveLength(5);
  expect(new Set(keys).size).toBe(1);
  expect(keys[0]).toMatch(/^[\w-]{36}$/);
});

test("a request whose answer is lost is sent again and done once", async () => {
  const replayed: (string | null)[] = [];
  const listening = createClient({
    ...api,
    async fetch(...sent) {
      const response = await fetch(...sent);
      replayed.push(response.headers.get("idempotent-replayed"));
      return response;
    },
  });
  api.troubles.push("drop the answer");
  await listening.batches.create({ items: [{ custom_id: "a", image: { url: "http://10.0.0.1/a.png" } }] });
  expect(replayed).toEqual(["true"]);
});

test("each request that creates has a key of its own, or the one it was given", async () => {
  await client.classifications.create(figure());
  await client.classifications.create(figure());
  await client.classifications.create(figure(), {}, { idempotencyKey: "order-66" });
  const keys = api.received.map(({ headers }) => headers.get("idempotency-key"));
  expect(new Set(keys).size).toBe(3);
  expect(keys[2]).toBe("order-66");
});

test("a client that never sends a request again gives it no key to remember, unless it is told one", async () => {
  const once = createClient({ ...api, retries: 0 });
  await once.classifications.create(figure());
  await once.classifications.create(figure(), {}, { idempotencyKey: "order-67" });
  const keys = api.received.map(({ headers }) => headers.get("idempotency-key"));
  expect(keys).toEqual([null, "order-67"]);
});

test("a request whose first try is still in hand is asked again, another conflict is not", async () => {
  api.troubles.push(busy({ "retry-after": "0" }, 409));
  await client.classifications.create(figure());
  expect(api.received).toHaveLength(2);
  api.troubles.push(busy({}, 409));
  expect(await troubleOf(client.classifications.create(figure()))).toMatchObject({
    code: "http_409",
    status: 409,
    retryable: false,
  });
});

test("a service that stays busy is given up after as many retries as were allowed", async () => {
  const hasty = createClient({ ...api, retries: 2 });
  api.troubles.push(...Array.from({ length: 3 }, () => busy({ "retry-after": "0" })));
  expect(await troubleOf(hasty.batches.get("bat_0"))).toMatchObject({ code: "http_503", retryAfterMs: 0 });
  expect(api.received).toHaveLength(3);
});

test("waiting survives a service that goes away for more than all retries", async () => {
  const hasty = createClient({ ...api, retries: 0 });
  const { id } = await hasty.classifications.create(figure());
  const asked = hasty.classifications.wait(id, {
    onProgress: () => api.received.length === 2 && api.troubles.push("drop", busy(), "drop"),
  });
  expect((await asked).status).toBe("succeeded");
});
