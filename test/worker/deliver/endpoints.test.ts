import { createPublicKey, verify } from "node:crypto";
import { Webhook } from "standardwebhooks";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import type { DeliverPayload } from "../../../shared/contracts/queue-payloads.ts";
import type { WebhookEndpoint } from "../../../shared/contracts/webhook.ts";
import { messageId, newId } from "../../../shared/new-id.ts";
import { newSigningSecret, newWebhookSecret, publicKeyOf } from "../../../shared/signature.ts";
import { listAttempts } from "../../../shared/state/webhook-attempts.ts";
import { deleteEndpoint, disableEndpoint, updateEndpoint } from "../../../shared/state/webhook-endpoints.ts";
import { getEndedMessage } from "../../../shared/state/webhook-messages.ts";
import { getWebhookSecret, rotateSecret } from "../../../shared/state/webhook-secret.ts";
import { deliverMessage } from "../../../worker/deliver/deliver-message.ts";
import type { DeliverDeps } from "../../../worker/deliver/deliver-message.ts";
import { createReceiverSlots } from "../../../worker/deliver/receiver-slots.ts";
import { createSafeFetch } from "../../../worker/net/safe-fetch.ts";
import { startTestServer } from "../../support/http-server.ts";
import type { ReceivedRequest, TestServer } from "../../support/http-server.ts";
import { registerEndpoint } from "../../support/webhook-endpoint.ts";
import { openWorkerDeps } from "../../support/worker-deps.ts";
import type { WorkerTestDeps } from "../../support/worker-deps.ts";

const HOUR = 3_600_000;

let deps: WorkerTestDeps & DeliverDeps;
let receiver: TestServer;
let status: number;
beforeAll(async () => {
  receiver = await startTestServer(() => ({ status }));
  const safeFetch = createSafeFetch({ allowedPrivateNetworks: ["127.0.0.1/32"] });
  deps = { ...(await openWorkerDeps()), safeFetch, slots: createReceiverSlots() };
});
afterAll(async () => {
  await deps.safeFetch.close();
  await receiver.stop();
  await deps.stop();
});
beforeEach(() => {
  status = 204;
  receiver.received.length = 0;
});

const register = (more: { signing?: "hmac" | "ed25519"; events?: WebhookEndpoint["events"] } = {}) =>
  registerEndpoint(deps.redis, { url: `${receiver.url}/hook`, ...more });

async function message(
  to: { endpoint_id: string } | { url: string },
  type: DeliverPayload["event_type"] = "batch.completed",
): Promise<DeliverPayload> {
  const id = await messageId(newId("bat"), type, JSON.stringify(to));
  const body = `{"type":"${type}", "timestamp":"2026-11-22T12:00:00Z","data":{"score":1.0}}`;
  const created = new Date().toISOString();
  return {
    message_id: id,
    tenant: "default",
    event_type: type,
    ...to,
    body,
    created_at: created,
    sending: 0,
  };
}
const deliver = (payload: DeliverPayload, number = 1) => deliverMessage(payload, { number }, deps);

async function delivered(payload: DeliverPayload): Promise<ReceivedRequest> {
  await deliver(payload);
  const request = receiver.received.at(-1);
  if (request === undefined) throw new Error("Nothing arrived.");
  return request;
}

const signaturesOf = ({ headers }: ReceivedRequest) => String(headers["webhook-signature"]).split(" ");
const acceptedBy = (secret: string, { body, headers }: ReceivedRequest) => {
  try {
    new Webhook(secret).verify(body, headers as Record<string, string>);
    return true;
  } catch {
    return false;
  }
};

/** Written after RFC 8032 and the Standard Webhooks specification, with nothing of ours in it. */
function isSignedBy(publicKey: string | null, { body, headers }: ReceivedRequest): boolean {
  const point = Buffer.from(String(publicKey).replace("whpk_", ""), "base64");
  const key = createPublicKey({
    key: { kty: "OKP", crv: "Ed25519", x: point.toString("base64url") },
    format: "jwk",
  });
  const signed = Buffer.from(
    `${String(headers["webhook-id"])}.${String(headers["webhook-timestamp"])}.${body}`,
  );
  return String(headers["webhook-signature"])
    .split(" ")
    .filter((signature) => signature.startsWith("v1a,"))
    .some((signature) => verify(null, signed, key, Buffer.from(signature.slice(4), "base64")));
}

test("an endpoint's own secret signs its messages, and the tenant's does not", async () => {
  const { endpoint, secret } = await register();
  const request = await delivered(await message({ endpoint_id: endpoint.id }));
  expect(acceptedBy(secret, request)).toBe(true);
  expect(acceptedBy(await getWebhookSecret(deps.redis, "default"), request)).toBe(false);
});

test("an endpoint with ed25519 is signed for so that Node's own crypto verifies it with the public key", async () => {
  const { endpoint } = await register({ signing: "ed25519" });
  const other = await register({ signing: "ed25519" });
  const request = await delivered(await message({ endpoint_id: endpoint.id }));
  expect(signaturesOf(request)).toEqual([expect.stringMatching(/^v1a,[A-Za-z0-9+/]{86}==$/)]);
  expect(isSignedBy(endpoint.public_key, request)).toBe(true);
  expect(isSignedBy(other.endpoint.public_key, request)).toBe(false);
  expect(isSignedBy(endpoint.public_key, { ...request, body: `${request.body} ` })).toBe(false);
});

test("after a rotation either secret verifies, until the overlap ends or one without overlap ends it", async () => {
  const { endpoint, secret: first } = await register();
  const { id } = endpoint;
  const [second, third] = [newWebhookSecret(), newWebhookSecret()];
  await rotateSecret(deps.redis, id, { secret: second, overlapMs: HOUR });
  const during = await delivered(await message({ endpoint_id: id }));
  expect(signaturesOf(during)).toHaveLength(2);
  expect([first, second].map((secret) => acceptedBy(secret, during))).toEqual([true, true]);
  await rotateSecret(deps.redis, id, { secret: third, overlapMs: 0 });
  const after = await delivered(await message({ endpoint_id: id }));
  expect([first, second, third].map((secret) => acceptedBy(secret, after))).toEqual([false, false, true]);
});

test("after a rotation of keys either public key verifies", async () => {
  const { endpoint } = await register({ signing: "ed25519" });
  const secret = await newSigningSecret("ed25519");
  await rotateSecret(deps.redis, endpoint.id, { secret, overlapMs: HOUR });
  const request = await delivered(await message({ endpoint_id: endpoint.id }));
  for (const key of [endpoint.public_key, publicKeyOf(secret)]) expect(isSignedBy(key, request)).toBe(true);
});

test("the tenant's default secret rotates likewise", async () => {
  const before = await getWebhookSecret(deps.redis, "default");
  const after = newWebhookSecret();
  await rotateSecret(deps.redis, "default", { secret: after, overlapMs: HOUR });
  const request = await delivered(await message({ url: `${receiver.url}/bare` }));
  expect([before, after].map((secret) => acceptedBy(secret, request))).toEqual([true, true]);
});

test("an endpoint is sent the events that its filter names and no others, but a test always", async () => {
  const { endpoint } = await register({ events: ["batch.failed"] });
  const to = { endpoint_id: endpoint.id };
  const unwanted = await message(to, "batch.completed");
  await deliver(unwanted);
  await deliver(await message(to, "batch.failed"));
  await deliver(await message(to, "webhook.test"));
  expect(receiver.received.map(({ body }) => (JSON.parse(body) as { type: string }).type)).toEqual([
    "batch.failed",
    "webhook.test",
  ]);
  expect(await getEndedMessage(deps.redis, unwanted.message_id)).toBeUndefined();
});

test("an attempt goes where the endpoint is now", async () => {
  const { endpoint } = await register();
  const sent = await message({ endpoint_id: endpoint.id });
  status = 500;
  await expect(deliver(sent)).rejects.toThrow("500");
  await updateEndpoint(deps.redis, "default", endpoint.id, { url: `${receiver.url}/moved` });
  status = 204;
  await deliver(sent, 2);
  expect(receiver.received.map(({ path }) => path)).toEqual(["/hook", "/moved"]);
});

test("what waits for an endpoint that is disabled or deleted is not sent, and that is known", async () => {
  const { endpoint } = await register();
  const sent = await message({ endpoint_id: endpoint.id });
  await disableEndpoint(deps.redis, "default", { id: endpoint.id, reason: "Its owner disabled it." });
  await deliver(sent, 3);
  expect(await getEndedMessage(deps.redis, sent.message_id)).toMatchObject({
    status: "not_sent",
    attempts: 2,
    reason: "The endpoint is disabled. Its owner disabled it.",
  });
  const [line] = await listAttempts(deps.redis, endpoint.id, { limit: 1, before: undefined });
  expect(line?.attempt).toMatchObject({ message_id: sent.message_id, status: "not_sent", number: 0 });

  const other = await message({ endpoint_id: endpoint.id });
  await deleteEndpoint(deps.redis, "default", endpoint.id);
  await deliver(other);
  expect(await getEndedMessage(deps.redis, other.message_id)).toMatchObject({
    status: "not_sent",
    reason: "The endpoint was deleted.",
  });
  expect(receiver.received).toEqual([]);
  expect(deps.log).toContainEqual(
    expect.objectContaining({ level: "warn", msg: "webhook not sent", id: other.message_id }),
  );
});

test("another tenant's endpoint is none to a message", async () => {
  const { endpoint } = await registerEndpoint(deps.redis, { url: receiver.url, tenant: "other" });
  await deliver(await message({ endpoint_id: endpoint.id }));
  expect(receiver.received).toEqual([]);
});

test("a message that has ended is not sent once more when its job is done again, until it is sent again on purpose", async () => {
  const { endpoint } = await register();
  const sent = await message({ endpoint_id: endpoint.id });
  for (const number of [1, 1, 2]) await deliver(sent, number);
  expect(receiver.received).toHaveLength(1);
  await deliver({ ...sent, sending: 1 });
  expect(receiver.received.map(({ headers }) => headers["webhook-id"])).toEqual([
    sent.message_id,
    sent.message_id,
  ]);
  await deliver({ ...sent, sending: 1 });
  expect(receiver.received).toHaveLength(2);
});

test("no log line has a secret in it", async () => {
  const secrets = [await register(), await register({ signing: "ed25519" })];
  for (const code of [204, 500, 410])
    for (const { endpoint } of secrets) {
      status = code;
      await deliver(await message({ endpoint_id: endpoint.id })).catch(() => {});
    }
  expect(deps.log.length).toBeGreaterThan(5);
  expect(JSON.stringify(deps.log)).not.toMatch(/whsec_|whsk_/);
});
