import { Webhook } from "standardwebhooks";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { DeliverPayload } from "../../../shared/contracts/queue-payloads.ts";
import { messageId, newId } from "../../../shared/new-id.ts";
import { getWebhookSecret } from "../../../shared/state/webhook-secret.ts";
import { newTraceparent, traceIdOf } from "../../../shared/traceparent.ts";
import { deliverMessage } from "../../../worker/deliver/deliver-message.ts";
import { createReceiverSlots } from "../../../worker/deliver/receiver-slots.ts";
import type { ReceiverSlots } from "../../../worker/deliver/receiver-slots.ts";
import { createSafeFetch } from "../../../worker/net/safe-fetch.ts";
import type { SafeFetch } from "../../../worker/net/safe-fetch.ts";
import { startTestServer } from "../../support/http-server.ts";
import type { ReceivedRequest, TestAnswer, TestServer } from "../../support/http-server.ts";
import { recordingTracer } from "../../support/recording-tracer.ts";
import { openWorkerDeps } from "../../support/worker-deps.ts";
import type { WorkerTestDeps } from "../../support/worker-deps.ts";

let deps: WorkerTestDeps & { safeFetch: SafeFetch; slots: ReceiverSlots };
let receiver: TestServer;
const ANSWERS: Record<string, TestAnswer> = {
  "/ok": { status: 200, body: Buffer.alloc(1_000_000) },
  "/broken": { status: 500 },
  "/gone": { status: 410 },
  "/moved": { status: 302, headers: { location: "/ok" } },
  "/busy": { status: 429, headers: { "retry-after": "120" } },
  "/hangs": "hang",
};
beforeAll(async () => {
  receiver = await startTestServer(({ path }) => ANSWERS[path] ?? { status: 404 });
  const safeFetch = createSafeFetch({ allowedPrivateNetworks: ["127.0.0.1/32"] });
  deps = { ...(await openWorkerDeps()), safeFetch, slots: createReceiverSlots() };
});
afterAll(async () => {
  await deps.safeFetch.close();
  await receiver.stop();
  await deps.stop();
});

const attempt = (number: number) => ({ number });

/** A message whose body a second serialisation would change. */
async function message(path: string): Promise<DeliverPayload> {
  const url = receiver.url + path;
  const body =
    '{"type":"classification.succeeded", "timestamp":"2026-11-22T12:00:00Z","data":{"score":1.0,"label":"é\\u00e9"}}';
  const id = await messageId(newId("cls"), "classification.succeeded", url);
  return {
    message_id: id,
    tenant: "default",
    event_type: "classification.succeeded",
    url,
    body,
    created_at: new Date().toISOString(),
    sending: 0,
  };
}
const receivedOf = ({ message_id }: DeliverPayload) =>
  receiver.received.filter(({ headers }) => headers["webhook-id"] === message_id);
const lastLine = ({ message_id }: DeliverPayload) =>
  deps.log.filter((line) => line["id"] === message_id).at(-1);
const verify = async ({ body, headers }: ReceivedRequest) =>
  new Webhook(await getWebhookSecret(deps.redis, "default")).verify(body, headers as Record<string, string>);

test("a message arrives once, byte by byte, with a signature that an independent verifier accepts", async () => {
  const sent = await message("/ok");
  await deliverMessage(sent, attempt(1), deps);
  const [request, ...others] = receivedOf(sent);
  expect(others).toEqual([]);
  expect(request?.body).toBe(sent.body);
  expect(request?.headers).toMatchObject({
    "content-type": "application/json",
    "user-agent": "Tresline-Webhooks/1",
    "webhook-id": sent.message_id,
  });
  expect(await verify(request as ReceivedRequest)).toEqual(JSON.parse(sent.body));
  expect(lastLine(sent)).toMatchObject({
    level: "info",
    msg: "webhook delivered",
    trace_id: expect.stringMatching(/^[0-9a-f]{32}$/),
    tenant: sent.tenant,
    outcome: "delivered",
    http_status: 200,
    attempt: 1,
  });
});

test("the verifier refuses a body that was changed on the way", async () => {
  const sent = await message("/ok");
  await deliverMessage(sent, attempt(1), deps);
  const request = receivedOf(sent)[0] as ReceivedRequest;
  await expect(verify({ ...request, body: JSON.stringify(JSON.parse(request.body)) })).rejects.toThrow(
    "signature",
  );
});

test("every attempt has the same id and a signature over its own time", async () => {
  const sent = await message("/broken");
  for (const number of [1, 2]) {
    await expect(deliverMessage(sent, attempt(number), deps)).rejects.toThrow("the receiver answered 500");
    await new Promise((resolve) => setTimeout(resolve, 1_050));
  }
  const [first, second] = receivedOf(sent) as [ReceivedRequest, ReceivedRequest];
  expect(Number(second.headers["webhook-timestamp"])).toBeGreaterThan(
    Number(first.headers["webhook-timestamp"]),
  );
  for (const request of [first, second]) expect(await verify(request)).toEqual(JSON.parse(sent.body));
});

test("a redirect is not followed", async () => {
  const sent = await message("/moved");
  await expect(deliverMessage(sent, attempt(1), deps)).rejects.toThrow("redirects are not followed");
  expect(receivedOf(sent).map(({ path }) => path)).toEqual(["/moved"]);
});

test("a receiver that is gone is not tried again, and that is logged at error", async () => {
  const sent = await message("/gone");
  await deliverMessage(sent, attempt(1), deps);
  expect(lastLine(sent)).toMatchObject({ level: "error", msg: "webhook dropped" });
});

test("a receiver's Retry-After goes along with the failure", async () => {
  const sent = await message("/busy");
  await expect(deliverMessage(sent, attempt(1), deps)).rejects.toMatchObject({
    name: "DeliveryFailed",
    retryAfterS: 120,
  });
  expect(lastLine(sent)).toMatchObject({ level: "warn", msg: "webhook attempt failed" });
});

test("a receiver that does not answer has 15 seconds, and then the attempt has failed", async () => {
  const sent = await message("/hangs");
  const allowed: number[] = [];
  const safeFetch: SafeFetch = {
    ...deps.safeFetch,
    fetch: (url, request) => {
      allowed.push(request.timeoutMs);
      return deps.safeFetch.fetch(url, { ...request, timeoutMs: 200 });
    },
  };
  await expect(deliverMessage(sent, attempt(1), { ...deps, safeFetch })).rejects.toThrow(
    "not done within 200 ms",
  );
  expect(allowed).toEqual([15_000]);
});

test("an address that may not be reached is a failed attempt, and nothing is sent", async () => {
  const sent = await message("/ok");
  const safeFetch = createSafeFetch({ allowedPrivateNetworks: [] });
  await expect(deliverMessage(sent, attempt(1), { ...deps, safeFetch })).rejects.toThrow("not public");
  await safeFetch.close();
  expect(receivedOf(sent)).toEqual([]);
});

test("the last attempt that fails is logged at error: the message is given up", async () => {
  const sent = await message("/broken");
  await deliverMessage(sent, attempt(10), deps);
  expect(lastLine(sent)).toMatchObject({ level: "error", msg: "webhook given up", attempt: 10 });
});

test("every attempt is a span of its own under its message's trace, and tells the receiver of itself", async () => {
  const sent = { ...(await message("/broken")), traceparent: newTraceparent() };
  const { tracer, spans } = recordingTracer();
  for (const number of [1, 2])
    await expect(deliverMessage(sent, attempt(number), { ...deps, tracer })).rejects.toThrow("500");
  const posts = spans.filter(({ name }) => name === "POST");
  expect(receivedOf(sent).map(({ headers }) => headers["traceparent"])).toEqual(
    posts.map(({ traceparent }) => traceparent),
  );
  expect(new Set(posts.map(({ traceparent }) => traceparent)).size).toBe(2);
  for (const [i, post] of posts.entries()) {
    const job = spans.filter(({ name }) => name === "deliver message")[i];
    expect(post).toMatchObject({
      kind: "client",
      parent: job?.traceparent,
      error: "the receiver answered 500",
      fields: { "http.response.status_code": 500, "server.address": new URL(receiver.url).host },
    });
    expect(job).toMatchObject({
      parent: sent.traceparent,
      error: "the receiver answered 500",
      fields: { id: sent.message_id, outcome: "retry", http_status: 500, attempt: i + 1 },
    });
    expect(traceIdOf(post.traceparent)).toBe(traceIdOf(sent.traceparent));
  }
});
