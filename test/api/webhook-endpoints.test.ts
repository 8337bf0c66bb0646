import { Webhook } from "standardwebhooks";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Problem } from "../../shared/contracts/error.ts";
import type {
  WebhookAttempt,
  WebhookEndpoint,
  WebhookEndpointWithSecret,
  WebhookMessage,
} from "../../shared/contracts/webhook.ts";
import { readConfig } from "../../shared/config.ts";
import { messageId, newId } from "../../shared/new-id.ts";
import { disableEndpoint } from "../../shared/state/webhook-endpoints.ts";
import { WorkerConfig } from "../../worker/config.ts";
import type { Consuming } from "../../worker/consume.ts";
import { announce } from "../../shared/announce.ts";
import { startWorker } from "../../worker/start.ts";
import { startTestServer } from "../support/http-server.ts";
import type { TestServer } from "../support/http-server.ts";
import { registerEndpoint } from "../support/webhook-endpoint.ts";
import { startTestApi } from "./support/test-api.ts";
import type { TestApi } from "./support/test-api.ts";

const ENDPOINTS = "/v1/webhook-endpoints";

let api: TestApi;
let worker: Consuming;
let receiver: TestServer;
const statuses: Record<string, number> = {};
beforeAll(async () => {
  api = await startTestApi();
  receiver = await startTestServer(({ path }) => ({
    status: statuses[path] ?? 200,
    body: Buffer.from(`answer of ${path}`),
  }));
  const config = readConfig(WorkerConfig, {
    REDIS_URL: api.redis.url,
    STORAGE_URL: `file:${api.directory}`,
    LOG_LEVEL: "silent",
    WORKER_ROLES: "deliver",
    ALLOWED_PRIVATE_NETWORKS: "127.0.0.1/32",
  });
  worker = await startWorker(config, (error) => {
    throw error;
  });
});
afterAll(async () => {
  await worker.close();
  await receiver.stop();
  await api.close();
});

const problemOf = async (response: Response) => (await response.json()) as Problem;

/** Sends a request and returns its body; fails when the answer is an error. */
async function call<Body>(method: string, path: string, body?: unknown): Promise<Body> {
  const response = await api.request(path, {
    method,
    ...(body !== undefined && {
      headers: { "content-type": "application/json" },
      body: JSON.stringify(body),
    }),
  });
  expect(response.status, `${method} ${path}`).toBeLessThan(300);
  return (await response.json()) as Body;
}
const create = (path: string, more: object = {}) =>
  call<WebhookEndpointWithSecret>("POST", ENDPOINTS, { url: receiver.url + path, ...more });
const messageOf = (id: string) => call<WebhookMessage>("GET", `/v1/webhook-messages/${id}`);
const attemptsOf = async (id: string) =>
  (await call<{ data: WebhookAttempt[] }>("GET", `${ENDPOINTS}/${id}/attempts`)).data;
async function endedAs(id: string, status: WebhookMessage["status"]): Promise<void> {
  await expect.poll(async () => (await messageOf(id)).status, { timeout: 10_000 }).toBe(status);
}
const receivedAt = (path: string) => receiver.received.filter((request) => request.path === path);

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

test("a test message arrives signed by the endpoint's secret, and the log and the message tell of it", async () => {
  const { secret, ...endpoint } = await create("/tried");
  const sent = await call<WebhookMessage>("POST", `${ENDPOINTS}/${endpoint.id}/test`);
  expect(sent).toMatchObject({ type: "webhook.test", endpoint_id: endpoint.id, url: null });
  await endedAs(sent.id, "delivered");
  const [request] = receivedAt("/tried");
  const headers = request?.headers as Record<string, string>;
  const event = new Webhook(secret ?? "").verify(request?.body ?? "", headers);
  expect(event).toEqual({ type: "webhook.test", timestamp: sent.created_at, data: endpoint });
  expect(await messageOf(sent.id)).toMatchObject({ attempts: 1, reason: null, event });
  expect(await attemptsOf(endpoint.id)).toMatchObject([
    {
      message_id: sent.id,
      type: "webhook.test",
      number: 1,
      status: "delivered",
      response_status: 200,
      response_body: "answer of /tried",
    },
  ]);
});

test("the log is told in pages, each linked to the next", async () => {
  const { id } = await create("/pages");
  const sent: string[] = [];
  for (let i = 0; i < 5; i++) {
    const message = await call<WebhookMessage>("POST", `${ENDPOINTS}/${id}/test`);
    await endedAs(message.id, "delivered");
    sent.push(message.id);
  }
  const seen: string[] = [];
  let pages = 0;
  for (let path: string | undefined = `${ENDPOINTS}/${id}/attempts?limit=2`; path !== undefined; pages++) {
    const response = await api.request(path);
    const page = (await response.json()) as { data: WebhookAttempt[]; next_cursor: string | null };
    seen.push(...page.data.map(({ message_id }) => message_id));
    const link = /^<https:\/\/tresline\.example(.*)>; rel="next"$/.exec(response.headers.get("link") ?? "");
    expect(link === null).toBe(page.next_cursor === null);
    path = link?.[1];
  }
  expect(seen).toEqual(sent.toReversed());
  expect(pages).toBe(3);
  const problem = await problemOf(await api.request(`${ENDPOINTS}/${id}/attempts?cursor=me`));
  expect(problem).toMatchObject({ status: 400, errors: [{ parameter: "cursor" }] });
});

test("what a disabled endpoint missed is sent again under the same ids once it is recovered", async () => {
  const path = "/missed";
  const { id } = await create(path);
  const since = new Date().toISOString();
  await disableEndpoint(api.redis.redis, "default", { id, reason: "It failed." });
  const resources = ["one", "two", "three"].map(() => newId("bat"));
  for (const batch of resources)
    await announce(api.deps.queues, {
      tenant: "default",
      webhook: { endpoint_id: id },
      type: "batch.completed",
      timestamp: since,
      resource: { id: batch, object: "batch", status: "completed", urls: { get: "https://t.example" } },
    });
  const ids = await Promise.all(resources.map((batch) => messageId(batch, "batch.completed", id)));
  for (const message of ids) await endedAs(message, "not_sent");
  expect(receivedAt(path)).toEqual([]);
  expect(await messageOf(ids[0] ?? "")).toMatchObject({ reason: "The endpoint is disabled. It failed." });

  await call("PATCH", `${ENDPOINTS}/${id}`, { status: "enabled" });
  const recover = (from: string) => call("POST", `${ENDPOINTS}/${id}/recover?since=${from}`);
  expect(await recover("2100-01-01T00:00:00Z")).toMatchObject({ messages: 0 });
  expect(await recover(since)).toEqual({ object: "webhook_recovery", endpoint_id: id, messages: 3 });
  for (const message of ids) await endedAs(message, "delivered");
  const arrived = receivedAt(path).map(({ headers }) => headers["webhook-id"]);
  expect(arrived).toHaveLength(3);
  expect(new Set(arrived)).toEqual(new Set(ids));
  expect(await recover(since), "all have arrived").toMatchObject({ messages: 0 });
});

test("a message is sent again under its id, also to a bare address, and one that waits is tried now", async () => {
  const path = "/again";
  statuses[path] = 410;
  const webhook = { url: receiver.url + path };
  const batch = newId("bat");
  await announce(api.deps.queues, {
    tenant: "default",
    webhook,
    type: "batch.completed",
    timestamp: "2026-11-22T12:00:00Z",
    resource: { id: batch, object: "batch", status: "completed", urls: { get: "https://t.example" } },
  });
  const id = await messageId(batch, "batch.completed", webhook.url);
  await endedAs(id, "failed");
  const again = () => call<WebhookMessage>("POST", `/v1/webhook-messages/${id}/resend`);
  statuses[path] = 500;
  expect(await again()).toMatchObject({ id, url: webhook.url, endpoint_id: null });
  await expect.poll(async () => (await messageOf(id)).attempts).toBe(1);
  expect(await messageOf(id)).toMatchObject({ status: "pending", ended_at: null });
  statuses[path] = 200;
  await again();
  await endedAs(id, "delivered");
  expect(receivedAt(path).map(({ headers }) => headers["webhook-id"])).toEqual([id, id, id]);
  const none = "msg_05q8v2c6n1b4k7t0g3r9h5d8fa";
  expect((await api.request(`/v1/webhook-messages/${none}/resend`, { method: "POST" })).status).toBe(404);
});

test("a message is not sent again to an endpoint that is disabled", async () => {
  const { id } = await create("/off");
  const sent = await call<WebhookMessage>("POST", `${ENDPOINTS}/${id}/test`);
  await endedAs(sent.id, "delivered");
  await call("PATCH", `${ENDPOINTS}/${id}`, { status: "disabled" });
  const response = await api.request(`/v1/webhook-messages/${sent.id}/resend`, { method: "POST" });
  expect(await problemOf(response)).toMatchObject({ status: 409, code: "conflict" });
});

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
