import { Webhook } from "standardwebhooks";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { WebhookAttempt, WebhookMessage } from "../../shared/contracts/webhook.ts";
import { messageId, newId } from "../../shared/new-id.ts";
import { disableEndpoint } from "../../shared/state/webhook-endpoints.ts";
import { announce } from "../../shared/announce.ts";
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
  receiver = await startTestServer(({ path }) => ({
    status: statuses[path] ?? 200,
    body: Buffer.from(`answer of ${path}`),
  }));
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
