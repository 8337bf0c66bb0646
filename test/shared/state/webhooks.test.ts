import { afterAll, beforeAll, expect, test } from "vitest";
import { redisKeys } from "../../../shared/keys.ts";
import { messageId, newId } from "../../../shared/new-id.ts";
import type { DeliverPayload } from "../../../shared/contracts/queue-payloads.ts";
import { newWebhookSecret } from "../../../shared/signature.ts";
import { listAttempts, logAttempt } from "../../../shared/state/webhook-attempts.ts";
import {
  deleteEndpoint,
  disableEndpoint,
  getEndpoint,
  noteDelivery,
  noteFailure,
  updateEndpoint,
} from "../../../shared/state/webhook-endpoints.ts";
import { endMessage, getEndedMessage, undeliveredMessages } from "../../../shared/state/webhook-messages.ts";
import type { EndedMessage } from "../../../shared/state/webhook-messages.ts";
import { getSigningSecrets, rotateSecret } from "../../../shared/state/webhook-secret.ts";
import { startTestRedis } from "../../support/redis.ts";
import type { TestRedis } from "../../support/redis.ts";
import { registerEndpoint } from "../../support/webhook-endpoint.ts";

let server: TestRedis;
beforeAll(async () => {
  server = await startTestRedis();
});
afterAll(() => server.stop());

const HOUR = 3_600_000;
const url = "https://client.example/hook";
const register = async () => (await registerEndpoint(server.redis, { url })).endpoint.id;
const endpointOf = (id: string) => getEndpoint(server.redis, "default", id);

async function ended(endpoint_id: string, more: Partial<EndedMessage> = {}): Promise<EndedMessage> {
  const payload: DeliverPayload = {
    message_id: await messageId(newId("bat"), "batch.completed", endpoint_id),
    tenant: "default",
    event_type: "batch.completed",
    endpoint_id,
    body: "{}",
    created_at: new Date().toISOString(),
    sending: 0,
  };
  const at = new Date().toISOString();
  return {
    payload,
    status: "failed",
    attempts: 10,
    reason: "the receiver answered 500",
    ended_at: at,
    ...more,
  };
}

test("four old secrets at most sign beside the newest one", async () => {
  const owner = newId("whe");
  const secrets = Array.from({ length: 8 }, newWebhookSecret);
  for (const [i, secret] of secrets.entries())
    await rotateSecret(server.redis, owner, { secret, overlapMs: HOUR + i });
  expect(await getSigningSecrets(server.redis, owner)).toEqual(secrets.slice(3).toReversed());
});

test("an old secret signs no more when its overlap has ended, and is then forgotten", async () => {
  const owner = newId("whe");
  const [first, second] = [newWebhookSecret(), newWebhookSecret()];
  await rotateSecret(server.redis, owner, { secret: first, overlapMs: HOUR });
  await rotateSecret(server.redis, owner, { secret: second, overlapMs: 40 });
  expect(await getSigningSecrets(server.redis, owner)).toEqual([second, first]);
  await expect.poll(() => getSigningSecrets(server.redis, owner)).toEqual([second]);
  await expect.poll(() => server.redis.exists(redisKeys.oldWebhookSecrets(owner))).toBe(0);
});

test("disabling keeps the first reason, and enabling forgets it and the failures before", async () => {
  const id = await register();
  const since = await noteFailure(server.redis, "default", id);
  expect(await disableEndpoint(server.redis, "default", { id, reason: "one" })).toBe(true);
  expect(await disableEndpoint(server.redis, "default", { id, reason: "two" })).toBe(false);
  expect(await endpointOf(id)).toMatchObject({ status: "disabled", disabled_reason: "one" });
  await updateEndpoint(server.redis, "default", id, { status: "enabled" });
  expect(await endpointOf(id)).toMatchObject({
    status: "enabled",
    disabled_reason: null,
    disabled_at: null,
  });
  await new Promise((resolve) => setTimeout(resolve, 5));
  expect(await noteFailure(server.redis, "default", id)).toBeGreaterThan(since);
});

test("failures count from the first after a delivery", async () => {
  const id = await register();
  const first = await noteFailure(server.redis, "default", id);
  await new Promise((resolve) => setTimeout(resolve, 5));
  expect(await noteFailure(server.redis, "default", id)).toBe(first);
  await noteDelivery(server.redis, "default", id);
  expect(await noteFailure(server.redis, "default", id)).toBeGreaterThan(first);
});

test("nothing makes a deleted endpoint be there again, and nothing of it is left", async () => {
  const id = await register();
  expect(await deleteEndpoint(server.redis, "other", id)).toBe(false);
  expect(await endpointOf(id)).toBeDefined();
  await rotateSecret(server.redis, id, { secret: newWebhookSecret(), overlapMs: HOUR });
  expect(await deleteEndpoint(server.redis, "default", id)).toBe(true);
  await updateEndpoint(server.redis, "default", id, { url, status: "enabled" });
  await noteFailure(server.redis, "default", id);
  await noteDelivery(server.redis, "default", id);
  expect(await disableEndpoint(server.redis, "default", { id, reason: "gone" })).toBe(false);
  expect(await server.redis.keys(`*${id}*`)).toEqual([]);
});

const attempt = (number: number) => ({
  object: "webhook_attempt" as const,
  message_id: "msg_05q8v2c6n1b4k7t0g3r9h5d8fa",
  type: "batch.completed" as const,
  number,
  status: "failed" as const,
  response_status: 500,
  response_body: "",
  reason: "the receiver answered 500",
  duration_ms: 1,
  attempted_at: "2026-11-22T12:00:00.000Z",
});

test("an endpoint's log holds the last 500 attempts, and pages through them from the latest", async () => {
  const id = await register();
  for (let number = 1; number <= 510; number++) await logAttempt(server.redis, id, attempt(number));
  const numbers: number[] = [];
  let before: string | undefined;
  do {
    const page = await listAttempts(server.redis, id, { limit: 90, before });
    numbers.push(...page.map((line) => line.attempt.number));
    before = page.at(-1)?.id;
  } while (before !== undefined);
  expect(numbers).toEqual(Array.from({ length: 500 }, (_, i) => 510 - i));
  expect(await server.redis.ttl(redisKeys.webhookAttempts(id))).toBeGreaterThan(29 * 86_400);
});

const idsOf = async (endpointId: string, since: number) => {
  const ids: string[] = [];
  for await (const page of undeliveredMessages(server.redis, endpointId, since))
    ids.push(...page.map(({ payload }) => payload.message_id));
  return ids;
};

test("what was not delivered since a time is found, oldest first, until it is delivered after all", async () => {
  const id = newId("whe");
  const began = Date.now() - HOUR;
  const messages = await Promise.all(
    Array.from({ length: 250 }, (_, i) => ended(id, { ended_at: new Date(began + i).toISOString() })),
  );
  for (const message of messages) expect(await endMessage(server.redis, message)).toBe(0);
  await endMessage(
    server.redis,
    await ended(id, { status: "delivered", ended_at: new Date(began + 100).toISOString() }),
  );
  const ids = messages.map(({ payload }) => payload.message_id);
  expect(await idsOf(id, 0)).toEqual(ids);
  expect(await idsOf(id, Date.parse(messages[40]?.ended_at ?? ""))).toEqual(ids.slice(40));
  const [first = await ended(id)] = messages;
  await endMessage(server.redis, { ...first, status: "delivered" });
  expect(await idsOf(id, 0)).toEqual(ids.slice(1));
});

test("a message is kept for a day when delivered and two weeks when not, and of a receiver no more than 10 000", async () => {
  const id = newId("whe");
  const oldest = await ended(id, { ended_at: "2026-11-22T12:00:00.000Z" });
  const delivered = await ended(id, { status: "delivered" });
  const ttl = ({ payload }: EndedMessage) => server.redis.ttl(redisKeys.webhookMessage(payload.message_id));
  for (const message of [oldest, delivered]) await endMessage(server.redis, message);
  expect(await ttl(oldest)).toBe(14 * 86_400);
  expect(await ttl(delivered)).toBe(86_400);

  const members = Array.from({ length: 9_999 }, (_, i) => [Date.parse(oldest.ended_at) + 1 + i, `msg_${i}`]);
  await server.redis.zadd(redisKeys.undeliveredMessages(id), ...members.flat());
  const newest = await ended(id, { ended_at: "2026-11-22T13:00:00.000Z" });
  expect(await endMessage(server.redis, newest), "one had to go").toBe(1);
  expect(await getEndedMessage(server.redis, oldest.payload.message_id)).toBeUndefined();
  expect(await getEndedMessage(server.redis, newest.payload.message_id)).toEqual(newest);
  expect(await server.redis.zcard(redisKeys.undeliveredMessages(id))).toBe(10_000);
});
