import { once } from "node:events";
import { createServer } from "node:http";
import type { IncomingMessage, Server, ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test, vi } from "vitest";
import type { DeliverPayload } from "../../../shared/contracts/queue-payloads.ts";
import { messageId, newId } from "../../../shared/new-id.ts";
import { listAttempts } from "../../../shared/state/webhook-attempts.ts";
import { getEndpoint } from "../../../shared/state/webhook-endpoints.ts";
import { getEndedMessage } from "../../../shared/state/webhook-messages.ts";
import { DeliveryFailed, deliverMessage } from "../../../worker/deliver/deliver-message.ts";
import type { DeliverDeps } from "../../../worker/deliver/deliver-message.ts";
import { createReceiverSlots } from "../../../worker/deliver/receiver-slots.ts";
import { retryWaitMs } from "../../../worker/deliver/schedule.ts";
import { createSafeFetch } from "../../../worker/net/safe-fetch.ts";
import { registerEndpoint } from "../../support/webhook-endpoint.ts";
import { openWorkerDeps } from "../../support/worker-deps.ts";
import type { WorkerTestDeps } from "../../support/worker-deps.ts";

const START = Date.parse("2026-12-01T00:00:00Z");
const DAY = 86_400_000;
/** When the ten attempts are made, in seconds after the first, when no wait is jittered. */
const SCHEDULE_S = [0, 5, 305, 2_105, 9_305, 27_305, 63_305, 113_705, 185_705, 272_105];

/** Receivers that misbehave, each in its way. */
const RECEIVERS: Record<string, (request: IncomingMessage, response: ServerResponse) => void> = {
  "/ok": (_, response) => response.writeHead(204).end(),
  "/broken": (_, response) => response.writeHead(500).end("out of order"),
  "/hangs": () => {},
  "/resets": (request) => request.socket.destroy(),
  "/moved": (_, response) => response.writeHead(301, { location: "/ok" }).end(),
  "/gone": (_, response) => response.writeHead(410).end(),
  "/busy": (_, response) => response.writeHead(429, { "retry-after": "7200" }).end(),
  "/floods": (_, response) => {
    response.writeHead(200);
    const flood = () => {
      while (!response.destroyed && response.write(Buffer.alloc(65_536)));
    };
    response.on("drain", flood);
    flood();
  },
  "/trickles": (_, response) => {
    response.writeHead(200);
    const timer = setInterval(() => response.write("."), 20);
    response.on("close", () => clearInterval(timer));
  },
};

let deps: WorkerTestDeps & DeliverDeps;
let server: Server;
let origin: string;
const asked: string[] = [];
beforeAll(async () => {
  server = createServer((request, response) => {
    asked.push(request.url ?? "");
    request.resume().on("end", () => RECEIVERS[request.url ?? ""]?.(request, response));
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const reach = createSafeFetch({ allowedPrivateNetworks: ["127.0.0.1/32"] });
  // The time a receiver has is an hour-glass of its own, that the clock of the schedule does not turn.
  const safeFetch: typeof reach = {
    ...reach,
    fetch: (url, request) => reach.fetch(url, { ...request, timeoutMs: request.timeoutMs / 100 }),
  };
  deps = { ...(await openWorkerDeps()), safeFetch, slots: createReceiverSlots() };
});
afterAll(async () => {
  server.closeAllConnections();
  server.close();
  await deps.safeFetch.close();
  await deps.stop();
});
beforeEach(() => {
  vi.useFakeTimers({ toFake: ["Date"], now: START });
  asked.length = 0;
});
afterEach(() => vi.useRealTimers());

async function message(receiver: { url: string } | { endpoint_id: string }): Promise<DeliverPayload> {
  const id = await messageId(newId("cls"), "classification.succeeded", JSON.stringify(receiver));
  return {
    message_id: id,
    tenant: "default",
    event_type: "classification.succeeded",
    ...receiver,
    body: "{}",
    created_at: new Date().toISOString(),
    sending: 0,
  };
}
async function endpointAt(path: string): Promise<string> {
  const { endpoint } = await registerEndpoint(deps.redis, { url: origin + path });
  return endpoint.id;
}

/** Attempts a message as the queue would, by the schedule without jitter, and returns the seconds after START of each attempt. */
async function toTheEnd(payload: DeliverPayload): Promise<number[]> {
  const times: number[] = [];
  for (let number = 1; ; number++) {
    times.push((Date.now() - START) / 1_000);
    const failure = await deliverMessage(payload, { number }, deps).then(
      () => undefined,
      (error: unknown) => error,
    );
    if (failure === undefined) return times;
    if (!(failure instanceof DeliveryFailed)) throw failure;
    vi.setSystemTime(Date.now() + retryWaitMs(number, failure.retryAfterS, () => 0.5));
  }
}
const logOf = async (id: string) =>
  (await listAttempts(deps.redis, id, { limit: 100, before: undefined })).map(({ attempt }) => attempt);
const linesAbout = (text: string) => deps.log.filter((line) => JSON.stringify(line).includes(text));

test.each([
  ["/broken", 500, "the receiver answered 500", "out of order"],
  ["/hangs", null, "was not done within 150 ms", null],
  ["/trickles", null, "was not done within 150 ms", null],
  ["/resets", null, "the connection was broken off", null],
  ["/moved", 301, "redirects are not followed", ""],
])(
  "a receiver that %s is tried ten times in 75 hours and then given up",
  async (path, status, reason, body) => {
    const id = await endpointAt(path);
    const sent = await message({ endpoint_id: id });
    expect(await toTheEnd(sent)).toEqual(SCHEDULE_S);
    expect(asked).toEqual(SCHEDULE_S.map(() => path));
    const log = await logOf(id);
    expect(log.map(({ number }) => number)).toEqual([10, 9, 8, 7, 6, 5, 4, 3, 2, 1]);
    expect(log.map(({ attempted_at: at }) => (Date.parse(at) - START) / 1_000)).toEqual(
      SCHEDULE_S.toReversed(),
    );
    for (const attempt of log)
      expect(attempt).toMatchObject({
        message_id: sent.message_id,
        status: "failed",
        response_status: status,
        response_body: body,
        reason: expect.stringContaining(reason),
      });
    expect(await getEndedMessage(deps.redis, sent.message_id)).toMatchObject({
      status: "failed",
      attempts: 10,
      reason: expect.stringContaining(reason),
      ended_at: new Date(START + 272_105_000).toISOString(),
    });
    expect(linesAbout(sent.message_id).at(-1)).toMatchObject({ level: "error", msg: "webhook given up" });
    expect(await getEndpoint(deps.redis, "default", id)).toMatchObject({ status: "enabled" });
  },
);

test("one that asks for two hours each time gets them, and where the schedule waits longer that counts", async () => {
  const sent = await message({ endpoint_id: await endpointAt("/busy") });
  const waits = [2, 2, 2, 2, 5, 10, 14, 20, 24].map((hours) => hours * 3_600);
  const expected = waits.reduce<number[]>((times, wait) => [...times, (times.at(-1) ?? 0) + wait], [0]);
  expect(await toTheEnd(sent)).toEqual(expected);
});

test("one that answers 200 and streams for ever has the message; no more than a little of its answer is read", async () => {
  const id = await endpointAt("/floods");
  expect(await toTheEnd(await message({ endpoint_id: id }))).toEqual([0]);
  const [attempt] = await logOf(id);
  expect(attempt).toMatchObject({ status: "delivered", response_status: 200, reason: null });
  expect(attempt?.response_body).toHaveLength(1_024);
});

test("410 disables the endpoint for good, visibly, and what comes after is not sent", async () => {
  const id = await endpointAt("/gone");
  const first = await message({ endpoint_id: id });
  expect(await toTheEnd(first)).toEqual([0]);
  expect(await getEndedMessage(deps.redis, first.message_id)).toMatchObject({
    status: "failed",
    attempts: 1,
  });
  const reason = "The receiver answered 410: it wants no more messages.";
  expect(await getEndpoint(deps.redis, "default", id)).toMatchObject({
    status: "disabled",
    disabled_reason: reason,
    disabled_at: new Date(START).toISOString(),
  });
  expect(linesAbout(id)).toContainEqual(
    expect.objectContaining({ level: "error", msg: "webhook endpoint disabled", reason }),
  );
  const second = await message({ endpoint_id: id });
  expect(await toTheEnd(second)).toEqual([0]);
  expect(asked).toEqual(["/gone"]);
  expect((await logOf(id))[0]).toMatchObject({
    message_id: second.message_id,
    number: 0,
    status: "not_sent",
    reason: `The endpoint is disabled. ${reason}`,
  });
  expect(await getEndedMessage(deps.redis, second.message_id)).toMatchObject({ status: "not_sent" });
});

test("410 from a bare address drops the messages there are for it; one made afterwards is tried", async () => {
  const url = `${origin}/gone`;
  const [first, second] = [await message({ url }), await message({ url })];
  await toTheEnd(first);
  await toTheEnd(second);
  expect(asked).toEqual(["/gone"]);
  expect(await getEndedMessage(deps.redis, second.message_id)).toMatchObject({
    status: "not_sent",
    reason: `The address answered 410 at ${new Date(START).toISOString()}: it wants no more messages.`,
  });
  vi.setSystemTime(START + 1_000);
  await toTheEnd(await message({ url }));
  expect(asked).toEqual(["/gone", "/gone"]);
});

/** One attempt a day at a message of its own, which then waits; returns the status after each. */
async function dailyAttempts(id: string, days: number): Promise<(string | undefined)[]> {
  const statuses: (string | undefined)[] = [];
  for (let day = 0; day < days; day++) {
    await deliverMessage(await message({ endpoint_id: id }), { number: 1 }, deps).catch(() => {});
    statuses.push((await getEndpoint(deps.redis, "default", id))?.status);
    vi.setSystemTime(Date.now() + DAY);
  }
  return statuses;
}

test("an endpoint is disabled after five days of nothing but failures, and says so", async () => {
  const id = await endpointAt("/broken");
  expect(await dailyAttempts(id, 6)).toEqual([...Array.from({ length: 5 }, () => "enabled"), "disabled"]);
  const reason = "Every attempt of the last 5 days failed; of the last one: the receiver answered 500.";
  expect(await getEndpoint(deps.redis, "default", id)).toMatchObject({
    disabled_reason: reason,
    disabled_at: new Date(START + 5 * DAY).toISOString(),
  });
  expect(linesAbout(id)).toContainEqual(
    expect.objectContaining({ level: "error", msg: "webhook endpoint disabled", reason }),
  );
});

test("one delivery in between begins the five days anew", async () => {
  const id = await endpointAt("/broken");
  await dailyAttempts(id, 4);
  await deps.redis.hset(`{tresline}:webhook-endpoint:default:${id}`, "url", `${origin}/ok`);
  await dailyAttempts(id, 1);
  await deps.redis.hset(`{tresline}:webhook-endpoint:default:${id}`, "url", `${origin}/broken`);
  expect(await dailyAttempts(id, 6)).toEqual([...Array.from({ length: 5 }, () => "enabled"), "disabled"]);
});

test("two failures a month apart are not a month of failure", async () => {
  const id = await endpointAt("/broken");
  await dailyAttempts(id, 1);
  vi.setSystemTime(START + 30 * DAY);
  expect(await dailyAttempts(id, 1)).toEqual(["enabled"]);
});
