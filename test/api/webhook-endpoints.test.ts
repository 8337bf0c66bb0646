import { afterAll, beforeAll, expect, test } from "vitest";
import type { WebhookEndpoint } from "../../shared/contracts/webhook.ts";
import { messageId, newId } from "../../shared/new-id.ts";
import { startTestServer } from "../support/http-server.ts";
import type { TestServer } from "../support/http-server.ts";
import { registerEndpoint } from "../support/webhook-endpoint.ts";
import { problemOf } from "./support/problem-of.ts";
import { startTestApi } from "./support/test-api.ts";
import type { TestApi } from "./support/test-api.ts";
import { webhookCalls } from "./support/webhook-calls.ts";

const ENDPOINTS = "/v1/webhook-endpoints";

let api: TestApi;
let receiver: TestServer;
beforeAll(async () => {
  api = await startTestApi();
  receiver = await startTestServer(() => ({ status: 200 }));
  await api.startWorker({ WORKER_ROLES: "deliver" });
});
afterAll(async () => {
  await api.close();
  await receiver.stop();
});

const { call, create } = webhookCalls(
  () => api,
  () => receiver,
);

test("an endpoint is registered, told, listed with the newest first, changed and deleted", async () => {
  const { secret, ...first } = await create("/crud");
  expect(secret).toMatch(/^whsec_[A-Za-z0-9+/]{43}=$/);
  expect(first).toMatchObject({
    description: "",
    events: null,
    signing: "hmac",
    public_key: null,
    status: "enabled",
    disabled_reason: null,
    disabled_at: null,
  });
  const { secret: _, ...second } = await create("/crud", { description: "B", events: ["batch.failed"] });
  expect(await call("GET", `${ENDPOINTS}/${first.id}`)).toEqual(first);
  const { data } = await call<{ data: WebhookEndpoint[] }>("GET", ENDPOINTS);
  expect(data.slice(0, 2)).toEqual([second, first]);
  const changes = { url: "https://client.example/new", description: "A", events: ["batch.completed"] };
  expect(await call("PATCH", `${ENDPOINTS}/${first.id}`, changes)).toEqual({ ...first, ...changes });
  expect(await call("PATCH", `${ENDPOINTS}/${first.id}`, { events: null })).toMatchObject({ events: null });
  for (const { id } of [first, second]) {
    expect(await call("DELETE", `${ENDPOINTS}/${id}`)).toEqual({
      id,
      object: "webhook_endpoint",
      deleted: true,
    });
    expect((await api.request(`${ENDPOINTS}/${id}`)).status).toBe(404);
  }
});

test("creating one answers where it is", async () => {
  const response = await api.post(ENDPOINTS, { url: "https://client.example/hook" });
  const { id } = (await response.json()) as WebhookEndpoint;
  expect(response.status).toBe(201);
  expect(response.headers.get("location")).toBe(`https://tresline.example${ENDPOINTS}/${id}`);
});

test("an owner disables and enables it; either shows, and disabling says when and why", async () => {
  const { id } = await create("/switch");
  const disabled = await call<WebhookEndpoint>("PATCH", `${ENDPOINTS}/${id}`, { status: "disabled" });
  expect(disabled).toMatchObject({ status: "disabled", disabled_reason: "Its owner disabled it." });
  expect(Date.parse(disabled.disabled_at ?? "")).toBeGreaterThan(Date.now() - 60_000);
  for (const path of ["test", "recover?since=2026-01-01T00:00:00Z"]) {
    const problem = await problemOf(await api.request(`${ENDPOINTS}/${id}/${path}`, { method: "POST" }));
    expect(problem).toMatchObject({ status: 409, code: "conflict" });
    expect(problem.detail).toContain('{"status": "enabled"}');
  }
  const enabled = await call("PATCH", `${ENDPOINTS}/${id}`, { status: "enabled" });
  expect(enabled).toMatchObject({ status: "enabled", disabled_reason: null, disabled_at: null });
});

test("another tenant's endpoint, its log and its messages are not found", async () => {
  const { endpoint } = await registerEndpoint(api.redis.redis, { url: receiver.url, tenant: "other" });
  const requests: [string, string, unknown?][] = [
    ["GET", ""],
    ["PATCH", "", { description: "mine" }],
    ["DELETE", ""],
    ["GET", "/attempts"],
    ["POST", "/rotate-secret"],
    ["POST", "/test"],
    ["POST", "/recover?since=2026-01-01T00:00:00Z"],
  ];
  for (const [method, path, body] of requests) {
    const init = { method, ...(body !== undefined && { body: JSON.stringify(body) }) };
    const headers = { "content-type": "application/json" };
    const response = await api.request(`${ENDPOINTS}/${endpoint.id}${path}`, { ...init, headers });
    expect(await problemOf(response)).toMatchObject({
      status: 404,
      detail: `There is no webhook endpoint ${endpoint.id}.`,
    });
  }
  const id = await messageId(newId("bat"), "batch.completed", endpoint.id);
  const payload = {
    message_id: id,
    tenant: "other",
    event_type: "batch.completed" as const,
    endpoint_id: endpoint.id,
    body: '{"type":"batch.completed","timestamp":"2026-11-22T12:00:00Z","data":{}}',
    created_at: new Date().toISOString(),
    sending: 0,
  };
  await api.deps.queues.enqueueDeliver({ id, payload });
  for (const [method, path] of [
    ["GET", ""],
    ["POST", "/resend"],
  ] as const)
    expect((await api.request(`/v1/webhook-messages/${id}${path}`, { method })).status).toBe(404);
});

test.each([
  [{}, "/url"],
  [{ url: "ftp://client.example" }, "/url"],
  [{ url: "https://client.example", events: [] }, "/events"],
  [{ url: "https://client.example", events: ["batch.done"] }, "/events/0"],
  [{ url: "https://client.example", signing: "rsa" }, "/signing"],
  [{ url: "https://client.example", secret: "mine" }, "/secret"],
])("%j is refused by its place", async (body, pointer) => {
  const problem = await problemOf(await api.post(ENDPOINTS, body));
  expect(problem).toMatchObject({ status: 400, code: "invalid_request", errors: [{ pointer }] });
});

test("a request names a registered endpoint as its webhook, enabled or not; one that is not there is refused", async () => {
  const { id } = await create("/named");
  const image = { url: "https://images.example/cat.png" };
  const bodies = {
    "/v1/classifications": { image },
    "/v1/batches": { items: [{ custom_id: "a", image }] },
  };
  for (const [path, body] of Object.entries(bodies)) {
    expect((await api.post(path, { ...body, webhook: id })).status).toBe(202);
    const unknown = newId("whe");
    const problem = await problemOf(await api.post(path, { ...body, webhook: unknown }));
    expect(problem).toMatchObject({ status: 400, errors: [{ pointer: "/webhook" }] });
    expect(problem.detail).toBe(
      `webhook: there is no webhook endpoint ${unknown}; POST /v1/webhook-endpoints makes one.`,
    );
  }
  await call("PATCH", `${ENDPOINTS}/${id}`, { status: "disabled" });
  expect((await api.post("/v1/classifications", { image, webhook: id })).status).toBe(202);
});

test("a tenant has a hundred endpoints at most", async () => {
  const { data } = await call<{ data: WebhookEndpoint[] }>("GET", ENDPOINTS);
  for (let i = data.length; i < 100; i++) await create("/many");
  const response = await api.post(ENDPOINTS, { url: "https://client.example" });
  expect(await problemOf(response)).toMatchObject({ status: 409, code: "conflict" });
});
