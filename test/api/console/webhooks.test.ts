import { afterAll, beforeAll, expect, test } from "vitest";
import type { Event } from "../../../shared/contracts/event.ts";
import type { WebhookMessage } from "../../../shared/contracts/webhook.ts";
import { messageId, newId } from "../../../shared/new-id.ts";
import { getEndpoint } from "../../../shared/state/webhook-endpoints.ts";
import { startTestServer } from "../../support/http-server.ts";
import type { TestServer } from "../../support/http-server.ts";
import { registerEndpoint } from "../../support/webhook-endpoint.ts";
import { makeKey } from "../support/make-key.ts";
import { startTestApi } from "../support/test-api.ts";
import type { TestApi } from "../support/test-api.ts";
import { firstEvent } from "./support/first-event.ts";
import { visit } from "./support/visit.ts";
import type { Visitor } from "./support/visit.ts";

const WEBHOOKS = "/console/webhooks";
const SLOW = { timeout: 20_000 };

let api: TestApi;
let visitor: Visitor;
let receiver: TestServer;
const answers: Record<string, { status: number; body: string }> = {};
beforeAll(async () => {
  api = await startTestApi();
  visitor = await visit(api);
  receiver = await startTestServer(({ path }) => {
    const { status, body } = answers[path] ?? { status: 200, body: "" };
    return { status, body: Buffer.from(body) };
  });
  await api.startWorker({ WORKER_ROLES: "deliver" });
});
afterAll(async () => {
  await api.close();
  await receiver.stop();
});

async function register(path: string): Promise<string> {
  const { endpoint } = await registerEndpoint(api.redis.redis, { url: `${receiver.url}${path}` });
  return `${WEBHOOKS}/${endpoint.id}`;
}
const stateOf = async (endpoint: string) =>
  getEndpoint(api.redis.redis, "default", endpoint.split("/").at(-1) ?? "");

/** Sends an endpoint a test by its page's button and gives the page of the message. */
async function sendTest(endpoint: string): Promise<string> {
  const { status, location } = await visitor.post(`${endpoint}/test`);
  expect(status).toBe(303);
  expect(location).toMatch(/^\/console\/webhooks\/messages\/msg_/);
  return location ?? "";
}
const messageAt = async (path: string) =>
  (await (
    await api.request(path.replace("/console/webhooks/messages", "/v1/webhook-messages"))
  ).json()) as WebhookMessage;

/** The page of a message once it has ended so. */
async function pageOnceIts(status: WebhookMessage["status"], path: string): Promise<string> {
  await expect.poll(async () => (await messageAt(path)).status, SLOW).toBe(status);
  return (await visitor.get(path)).text;
}

test("an endpoint is made by the form, and its secret is shown this once", async () => {
  expect((await visitor.get(WEBHOOKS)).text).toContain("No endpoint is registered.");
  expect((await visitor.get(`${WEBHOOKS}/new`)).text).toContain('value="batch.completed"');
  const made = await visitor.post(WEBHOOKS, {
    url: "https://example.com/made",
    description: "The catalogue's importer",
    signing: "hmac",
    events: ["batch.completed", "batch.failed"],
  });
  expect(made.status).toBe(200);
  const secret = />(whsec_[^<]+)</.exec(made.text)?.[1] ?? "";
  expect(secret.length).toBeGreaterThan(30);
  const endpoint = /href="(\/console\/webhooks\/whe_\w+)"/.exec(made.text)?.[1] ?? "";
  const { text } = await visitor.get(endpoint);
  expect(text).toContain("batch.completed, batch.failed");
  expect(text).toContain("The catalogue&#39;s importer");
  const list = await visitor.get(WEBHOOKS);
  expect(list.text).toContain(`<a href="${endpoint}">https://example.com/made</a>`);
  for (const page of [text, list.text]) expect(page).not.toContain(secret);
});

test("of an endpoint with a pair of keys the public one is shown, at any time", async () => {
  const made = await visitor.post(WEBHOOKS, { url: "https://example.com/pair", signing: "ed25519" });
  const key = />(whpk_[^<]+)</.exec(made.text)?.[1];
  expect(made.text).not.toContain("whsk_");
  const endpoint = /href="(\/console\/webhooks\/whe_\w+)"/.exec(made.text)?.[1] ?? "";
  expect((await visitor.get(endpoint)).text).toContain(`<code>${key}</code>`);
});

test("a form that cannot be taken comes back as it was filled", async () => {
  const { status, text } = await visitor.post(WEBHOOKS, {
    url: "ftp://example.com",
    events: ["batch.failed"],
  });
  expect(status).toBe(400);
  expect(text).toContain('value="ftp://example.com"');
  expect(text).toMatch(/id="url"[^>]*aria-invalid="true"/);
  expect(text).toMatch(/value="batch.failed"\s+checked/);
});

test("a test message is sent, and its page tells how that went, live", async () => {
  const message = await sendTest(await register("/fine"));
  const text = await pageOnceIts("delivered", message);
  expect(text).toContain("Attempt 1");
  expect(text).toContain("webhook.test");
  expect(text).not.toContain("data-moving");
  const id = message.split("/").at(-1) ?? "";
  const told = await firstEvent(api, visitor, `${WEBHOOKS}/messages/live?ids=${id}`);
  expect(told[id]).toContain("delivered");
});

test("what a receiver answers is shown as text and never as a part of the page", async () => {
  answers["/evil"] = { status: 410, body: "</pre><script>alert(1)</script>" };
  const endpoint = await register("/evil");
  const message = await pageOnceIts("failed", await sendTest(endpoint));
  const { text } = await visitor.get(endpoint);
  for (const page of [message, text]) {
    expect(page).toContain("&lt;/pre&gt;&lt;script&gt;alert(1)&lt;/script&gt;");
    expect(page).not.toContain("<script>alert");
    expect(page).toContain("answered 410");
  }
  expect(text).toContain("It is disabled. The receiver answered 410: it wants no more messages.");
});

test("a message is sent again by its button, under its id", async () => {
  const endpoint = await register("/again");
  const message = await sendTest(endpoint);
  await pageOnceIts("delivered", message);
  expect((await visitor.post(`${message}/resend`)).location).toBe(message);
  await expect.poll(() => receiver.received.filter(({ path }) => path === "/again").length, SLOW).toBe(2);
  const ids = receiver.received.flatMap(({ path, headers }) =>
    path === "/again" ? headers["webhook-id"] : [],
  );
  expect(new Set(ids)).toEqual(new Set([message.split("/").at(-1)]));
  await expect.poll(async () => (await visitor.get(message)).text.match(/Attempt 1/g)?.length, SLOW).toBe(2);
});

test("an endpoint is disabled and enabled, and what it missed meanwhile is sent again", async () => {
  const endpoint = await register("/away");
  const message = await sendTest(endpoint);
  await pageOnceIts("delivered", message);
  expect((await visitor.post(`${endpoint}/disabled`)).location).toBe(endpoint);
  const disabled = await visitor.get(endpoint);
  expect(disabled.text).toContain("It is disabled. Its owner disabled it.");
  expect(disabled.text).not.toContain("Send a test");
  expect((await visitor.post(`${endpoint}/test`)).status).toBe(409);
  await visitor.post(`${endpoint}/enabled`);
  expect((await stateOf(endpoint))?.status).toBe("enabled");
  const recovered = await visitor.post(`${endpoint}/recover`, { hours: "24" });
  expect(recovered.location).toBe(`${endpoint}?recovered=0`);
  expect((await visitor.get(recovered.location ?? "")).text).toContain("Nothing was missed in that time.");
  expect((await visitor.get(`${endpoint}?recovered=3`)).text).toContain("3 messages are sent again.");
  expect((await visitor.post(`${endpoint}/recover`, { hours: "x" })).status).toBe(400);
});

test("a secret is replaced, and the new one shown this once", async () => {
  const endpoint = await register("/rotated");
  const { status, text } = await visitor.post(`${endpoint}/rotate`, { overlap_hours: "0" });
  expect(status).toBe(200);
  const secret = />(whsec_[^<]+)</.exec(text)?.[1] ?? "nothing";
  expect((await visitor.get(endpoint)).text).not.toContain(secret);
  expect((await visitor.post(`${endpoint}/rotate`, { overlap_hours: "-1" })).status).toBe(400);
});

test("deleting asks before it does", async () => {
  const endpoint = await register("/deleted");
  expect((await visitor.get(`${endpoint}/delete`)).text).toContain("receives nothing from then on");
  expect(await stateOf(endpoint)).toBeDefined();
  expect((await visitor.post(`${endpoint}/delete`)).location).toBe(WEBHOOKS);
  expect(await stateOf(endpoint)).toBeUndefined();
});

test("a message to an address that came with a request has a page, too", async () => {
  const id = await messageId(newId("cls"), "classification.canceled", receiver.url);
  const now = new Date().toISOString();
  const event: Event = {
    type: "classification.canceled",
    timestamp: now,
    data: { metadata: { album: "<2026>" } },
  };
  await api.deps.queues.enqueueDeliver({
    id,
    payload: {
      message_id: id,
      tenant: "default",
      event_type: event.type,
      url: `${receiver.url}/bare`,
      body: JSON.stringify(event),
      created_at: now,
      sending: 0,
    },
  });
  const text = await pageOnceIts("delivered", `${WEBHOOKS}/messages/${id}`);
  expect(text).toContain(`${receiver.url}/bare`);
  expect(text).toContain("&quot;album&quot;: &quot;&lt;2026&gt;&quot;");
  expect(text).toContain("are not kept one by one");
});

test("without the scope admin there are no webhooks, and another tenant's are not there", async () => {
  const endpoint = await register("/private");
  const message = await sendTest(endpoint);
  const reader = await visit(api, (await makeKey(api, { scopes: ["read", "classify"] })).key);
  const other = await visit(api, (await makeKey(api, { tenant: "another" })).key);
  for (const [who, status] of [
    [reader, 403],
    [other, 404],
  ] as const) {
    for (const path of [endpoint, message, `${endpoint}/delete`])
      expect((await who.get(path)).status).toBe(status);
    for (const path of [`${endpoint}/test`, `${endpoint}/rotate`, `${message}/resend`, `${endpoint}/delete`])
      expect((await who.post(path)).status).toBe(status);
  }
  expect((await reader.get(WEBHOOKS)).status).toBe(403);
  expect((await other.get(WEBHOOKS)).text).toContain("No endpoint is registered.");
});
