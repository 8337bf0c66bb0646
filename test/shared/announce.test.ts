import { afterAll, beforeAll, expect, test } from "vitest";
import { Event, MAX_EVENT_BYTES } from "../../shared/contracts/event.ts";
import { DeliverPayload } from "../../shared/contracts/queue-payloads.ts";
import { newId } from "../../shared/new-id.ts";
import { queueNames } from "../../shared/queue.ts";
import { announce } from "../../shared/announce.ts";
import type { Announcement } from "../../shared/announce.ts";
import { readQueue } from "../support/queue-reader.ts";
import { openWorkerDeps } from "../support/worker-deps.ts";
import type { WorkerTestDeps } from "../support/worker-deps.ts";

let deps: WorkerTestDeps;
beforeAll(async () => {
  deps = await openWorkerDeps();
});
afterAll(() => deps.stop());

const URL_A = "https://a.example/hook";

function announcement(more: Partial<Announcement> & { note?: string } = {}): Announcement {
  const { note = "", ...rest } = more;
  const resource = {
    id: newId("cls"),
    object: "classification",
    status: "succeeded",
    urls: { get: "https://api.example/c" },
  };
  return {
    tenant: "default",
    webhook: { url: URL_A },
    type: "classification.succeeded",
    timestamp: "2026-11-22T12:00:00.000Z",
    resource: Object.assign(resource, { note }),
    ...rest,
  };
}
async function messages({ resource }: Announcement): Promise<DeliverPayload[]> {
  const all = (await readQueue(deps.redis, queueNames.deliver)).map(({ payload }) =>
    DeliverPayload.parse(payload),
  );
  return all.filter(({ body }) => body.includes(resource.id));
}
const bytes = (text: string) => new TextEncoder().encode(text).byteLength;

test("the body is the event with the whole resource", async () => {
  const said = announcement({ note: "short" });
  await announce(deps.queues, said);
  const [message] = await messages(said);
  const { resource: data, type, timestamp } = said;
  expect(JSON.parse(message?.body ?? "")).toEqual({ type, timestamp, data });
  expect(Event.safeParse(JSON.parse(message?.body ?? "")).success).toBe(true);
});

test("a resource whose event would be larger than 20 kB is replaced by its id, status and link", async () => {
  const [empty] = await (async () => {
    const said = announcement();
    await announce(deps.queues, said);
    return messages(said);
  })();
  const room = MAX_EVENT_BYTES - bytes(empty?.body ?? "");
  const justRight = announcement({ note: "x".repeat(room) });
  // Each of these letters is two bytes: it is bytes that count.
  const tooLarge = announcement({ note: "é".repeat(room / 2 + 1) });
  for (const said of [justRight, tooLarge]) await announce(deps.queues, said);
  expect(bytes((await messages(justRight))[0]?.body ?? "")).toBe(MAX_EVENT_BYTES);
  const { id, object, status, urls } = tooLarge.resource;
  const thin = (await messages(tooLarge))[0]?.body ?? "";
  expect(JSON.parse(thin)).toMatchObject({ type: tooLarge.type, data: { id, object, status, urls } });
  expect(thin).not.toContain("é");
});

test("an event told again is one message; another event or another address is another", async () => {
  const said = announcement();
  await announce(deps.queues, said);
  await announce(deps.queues, said);
  expect(await messages(said)).toHaveLength(1);
  await announce(deps.queues, { ...said, type: "classification.failed" });
  await announce(deps.queues, { ...said, webhook: { url: "https://b.example/hook" } });
  const ids = (await messages(said)).map(({ message_id }) => message_id);
  expect(new Set(ids).size).toBe(3);
});

test("nothing is enqueued when nobody asked, or not for this event", async () => {
  const nobody = announcement({ webhook: null });
  const other = announcement({ webhook: { url: URL_A, events: ["classification.failed"] } });
  const none = announcement({ webhook: { url: URL_A, events: [] } });
  for (const said of [nobody, other, none]) {
    await announce(deps.queues, said);
    expect(await messages(said)).toEqual([]);
  }
});

test("a message for an endpoint carries its id, and neither address nor secret", async () => {
  const endpoint_id = newId("whe");
  const said = announcement({ webhook: { endpoint_id, events: ["classification.succeeded"] } });
  await announce(deps.queues, said);
  await announce(deps.queues, said);
  const [message, ...others] = await messages(said);
  expect(others).toEqual([]);
  expect(Object.keys(message ?? {}).toSorted()).toEqual([
    "body",
    "created_at",
    "endpoint_id",
    "event_type",
    "message_id",
    "sending",
    "tenant",
  ]);
  expect(message).toMatchObject({ endpoint_id, sending: 0 });
});

test("how far a batch is, is told only to those who name it", async () => {
  const type = "batch.progress";
  const unnamed = announcement({ type });
  const named = announcement({ type, webhook: { url: URL_A, events: [type] } });
  for (const said of [unnamed, named]) await announce(deps.queues, said);
  expect(await messages(unnamed)).toEqual([]);
  expect(await messages(named)).toHaveLength(1);
});
