import { Webhook } from "standardwebhooks";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { WebhookEndpointWithSecret, WebhookMessage } from "../../shared/contracts/webhook.ts";
import { startTestServer } from "../support/http-server.ts";
import type { TestServer } from "../support/http-server.ts";
import { problemOf } from "./support/problem-of.ts";
import { startTestApi } from "./support/test-api.ts";
import type { TestApi } from "./support/test-api.ts";
import { webhookCalls } from "./support/webhook-calls.ts";

const ENDPOINTS = "/v1/webhook-endpoints";

let api: TestApi;
let receiver: TestServer;
const statuses: Record<string, number> = {};
beforeAll(async () => {
  api = await startTestApi();
  receiver = await startTestServer(({ path }) => ({ status: statuses[path] ?? 200 }));
  await api.startWorker({ WORKER_ROLES: "deliver" });
});
afterAll(async () => {
  await api.close();
  await receiver.stop();
});

const { call, create, messageOf, attemptsOf, endedAs, receivedAt } = webhookCalls(
  () => api,
  () => receiver,
);

const keysOf = async (id: string) => {
  const response = await api.request("/.well-known/webhook-keys.json", { headers: { authorization: "" } });
  expect(response.status).toBe(200);
  expect(response.headers.get("cache-control")).toBe("public, max-age=300");
  const { keys } = (await response.json()) as {
    keys: { endpoint_id: string; public_key: string; signs_until: string | null }[];
  };
  return keys.filter(({ endpoint_id }) => endpoint_id === id);
};

test("public keys are told to anybody while they verify, and the private one to nobody", async () => {
  const first = await create("/keys", { signing: "ed25519" });
  expect(first.secret).toBeNull();
  const { id } = first;
  expect(await keysOf(id)).toEqual([{ endpoint_id: id, public_key: first.public_key, signs_until: null }]);
  const rotate = (query: string) =>
    call<WebhookEndpointWithSecret>("POST", `${ENDPOINTS}/${id}/rotate-secret${query}`);
  const second = await rotate("?overlap_hours=2");
  expect(second.public_key).not.toBe(first.public_key);
  const [now, before] = await keysOf(id);
  expect(now).toMatchObject({ public_key: second.public_key, signs_until: null });
  expect(before).toMatchObject({ public_key: first.public_key });
  expect(Date.parse(before?.signs_until ?? "") - Date.now()).toBeGreaterThan(7_100_000);
  const third = await rotate("");
  expect((await keysOf(id)).map(({ public_key }) => public_key)).toEqual([
    third.public_key,
    second.public_key,
    first.public_key,
  ]);
  const last = await rotate("?overlap_hours=0");
  expect((await keysOf(id)).map(({ public_key }) => public_key)).toEqual([last.public_key]);
  await call("DELETE", `${ENDPOINTS}/${id}`);
  expect(await keysOf(id)).toEqual([]);
});

test("a rotation shows the new secret once; messages are signed by it and the one before", async () => {
  const path = "/rotated";
  const { id, secret: first } = await create(path);
  const { secret: second } = await call<WebhookEndpointWithSecret>(
    "POST",
    `${ENDPOINTS}/${id}/rotate-secret`,
  );
  expect(second).not.toBe(first);
  const { id: message } = await call<WebhookMessage>("POST", `${ENDPOINTS}/${id}/test`);
  await endedAs(message, "delivered");
  const [request] = receivedAt(path);
  const headers = request?.headers as Record<string, string>;
  for (const secret of [first, second])
    expect(new Webhook(secret ?? "").verify(request?.body ?? "", headers)).toMatchObject({
      type: "webhook.test",
    });
  const problem = await problemOf(
    await api.request(`${ENDPOINTS}/${id}/rotate-secret?overlap_hours=1000`, { method: "POST" }),
  );
  expect(problem).toMatchObject({ status: 400, errors: [{ parameter: "overlap_hours" }] });
});

test("the tenant's default secret is replaced when asked to", async () => {
  type Secret = { secret: string };
  const { secret: before } = await call<Secret>("GET", "/v1/webhook-secret");
  const { secret: after } = await call<Secret>("POST", "/v1/webhook-secret/rotate");
  expect(after).not.toBe(before);
  expect(await call<Secret>("GET", "/v1/webhook-secret")).toMatchObject({ secret: after });
});

test("neither jobs, logs nor later answers have a secret in them", async () => {
  statuses["/secret"] = 500;
  const { id } = await create("/secret");
  await create("/secret", { signing: "ed25519" });
  const { id: message } = await call<WebhookMessage>("POST", `${ENDPOINTS}/${id}/test`);
  await expect.poll(async () => (await messageOf(message)).attempts).toBe(1);
  const job = await api.redis.redis.hgetall(`{tresline}:deliver:${message}`);
  expect(job["data"]).toContain(id);
  const answers = [
    await call("GET", ENDPOINTS),
    await call("GET", `${ENDPOINTS}/${id}`),
    await call("PATCH", `${ENDPOINTS}/${id}`, { description: "x" }),
    await attemptsOf(id),
    await messageOf(message),
  ];
  const sent = receivedAt("/secret").map(({ body }) => body);
  expect(sent).toHaveLength(1);
  expect(JSON.stringify([answers, job, api.logLines, sent])).not.toMatch(/whsec_|whsk_/);
});
