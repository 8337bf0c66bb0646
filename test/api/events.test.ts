import { Worker } from "bullmq";
import { createParser } from "eventsource-parser";
import type { EventSourceMessage } from "eventsource-parser";
import { Hono } from "hono";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { ApiEnv } from "../../api/env.ts";
import { STREAM_LIMITS, openEventStreams } from "../../api/event-streams.ts";
import type { Look } from "../../api/event-streams.ts";
import { Batch } from "../../shared/contracts/batch.ts";
import { Classification } from "../../shared/contracts/classification.ts";
import { REDIS_PREFIX } from "../../shared/keys.ts";
import { newId } from "../../shared/new-id.ts";
import { queuedClassification } from "../../shared/queued-classification.ts";
import { queueNames } from "../../shared/queue.ts";
import { saveResult } from "../../shared/save-result.ts";
import { endBatch, startBatch } from "../../shared/state/batches.ts";
import { countChunk } from "../../shared/state/count-chunk.ts";
import { makeKey } from "./support/make-key.ts";
import { API_KEY, PUBLIC_URL, startTestApi } from "./support/test-api.ts";
import type { TestApi } from "./support/test-api.ts";

const image = { url: "https://example.com/cat.jpg" };

let api: TestApi;
beforeAll(async () => {
  api = await startTestApi();
});
afterAll(() => api.close());

/** Reads a stream's events as they come. */
async function* eventsIn(response: Response): AsyncGenerator<EventSourceMessage, void, undefined> {
  const events: EventSourceMessage[] = [];
  const parser = createParser({ onEvent: (event) => void events.push(event) });
  for await (const text of response.body?.pipeThrough(new TextDecoderStream()) ?? []) {
    parser.feed(text);
    yield* events.splice(0);
  }
}
const readAll = async (response: Response) => {
  const events: EventSourceMessage[] = [];
  for await (const event of eventsIn(response)) events.push(event);
  return events;
};
const watch = async (path: string, headers: Record<string, string> = {}) =>
  api.app.request(path, { headers: { authorization: `Bearer ${API_KEY}`, ...headers } });

const create = async () =>
  Classification.parse(await (await api.post("/v1/classifications", { image })).json());
async function end({ id }: Classification): Promise<Classification> {
  const found = await api.deps.queues.findClassification(["figures"], id);
  if (found === undefined) throw new Error(`${id} has no job.`);
  const now = new Date().toISOString();
  const ended = { ...queuedClassification(found.payload), status: "succeeded" as const, completed_at: now };
  await saveResult({ ...ended, predictions: [] }, found.payload, api.deps);
  await api.deps.queues.removeClassification(found.payload);
  return { ...ended, predictions: [] };
}

test("a classification is told as it is at once, at each change, and for the last time when it has ended", async () => {
  const created = await create();
  expect(created.urls.events).toBe(`${PUBLIC_URL}/v1/classifications/${created.id}/events`);
  const response = await watch(`/v1/classifications/${created.id}/events`);
  expect(response.status).toBe(200);
  expect(response.headers.get("content-type")).toBe("text/event-stream");
  expect(response.headers.get("cache-control")).toBe("no-cache");
  const events = eventsIn(response);
  const next = async () => (await events.next()).value;
  expect(await next()).toEqual({ id: "queued", event: undefined, data: JSON.stringify(created) });
  const { promise: mayEnd, resolve } = Promise.withResolvers<void>();
  const worker = new Worker(queueNames.classify("figures", "interactive"), () => mayEnd, {
    connection: api.redis.redis,
    prefix: REDIS_PREFIX,
  });
  const processing = await next();
  expect(processing?.id).toBe("processing");
  expect(JSON.parse(processing?.data ?? "")).toMatchObject({ id: created.id, status: "processing" });
  const ended = await end(created);
  expect(await next()).toEqual({ id: "succeeded", event: undefined, data: JSON.stringify(ended) });
  expect(await next()).toBeUndefined();
  resolve();
  await worker.close();
});

test("what is told is what the document says, of what ends while it is watched", async () => {
  const created = await create();
  const watching = api.request(`/v1/classifications/${created.id}/events`);
  await end(created);
  const events = await readAll(await watching);
  expect(events.at(-1)?.id).toBe("succeeded");
});

test("who names the last event it has seen is told only what is new, and nothing more once that was the last", async () => {
  const created = await create();
  const path = `/v1/classifications/${created.id}/events`;
  const watching = watch(path, { "last-event-id": "queued" }).then(readAll);
  await end(created);
  expect((await watching).map(({ id }) => id)).toEqual(["succeeded"]);
  const missed = await readAll(await watch(path, { "last-event-id": "queued" }));
  expect(missed.map(({ id }) => id)).toEqual(["succeeded"]);
  const response = await api.request(path, { headers: { "last-event-id": "succeeded" } });
  expect([response.status, await response.text()]).toEqual([204, ""]);
});

test("a batch is told whenever its status or its counts change", async () => {
  const items = ["a", "b"].map((custom_id) => ({ custom_id, image }));
  const batch = Batch.parse(await (await api.post("/v1/batches", { items })).json());
  expect(batch.urls.events).toBe(`${PUBLIC_URL}/v1/batches/${batch.id}/events`);
  const events = eventsIn(await watch(`/v1/batches/${batch.id}/events`));
  const next = async () => Batch.parse(JSON.parse((await events.next()).value?.data ?? "null"));
  expect(await next()).toEqual(batch);
  await startBatch(api.redis.redis, batch.id);
  expect(await next()).toMatchObject({ status: "in_progress" });
  await countChunk(api.redis.redis, batch.id, { number: 0, counts: { succeeded: 1 } });
  expect(await next()).toMatchObject({ progress: 0.5, request_counts: { succeeded: 1 } });
  await endBatch(api.redis.redis, batch.id, "completed", new Date().toISOString());
  expect(await next()).toMatchObject({ status: "completed" });
  expect((await events.next()).done).toBe(true);
});

test("what there is not, or is another's, is not found before any stream begins", async () => {
  const created = await create();
  const stranger = await makeKey(api, { tenant: "stranger" });
  for (const path of [`/v1/classifications/${newId("cls")}/events`, `/v1/batches/${newId("bat")}/events`])
    expect((await api.request(path)).status).toBe(404);
  const foreign = await api.request(`/v1/classifications/${created.id}/events`, stranger);
  expect(foreign.status).toBe(404);
});

test("asking only for the headers opens no stream", async () => {
  const created = await create();
  const response = await api.app.request(`/v1/classifications/${created.id}/events`, {
    method: "HEAD",
    headers: { authorization: `Bearer ${API_KEY}` },
  });
  expect(response.status).toBe(200);
  expect(await response.text()).toBe("");
});

/** An app with nothing but streams of a resource that does not change unless it is told to. */
function stillApp(limits: Partial<typeof STREAM_LIMITS> = {}) {
  const stopping = new AbortController();
  const now: Look = { id: "1", resource: { count: 1 }, hasEnded: false };
  const broken: { by: Error | undefined } = { by: undefined };
  const deps = { stopping: stopping.signal, logger: api.deps.logger };
  const streams = openEventStreams(deps, {
    ...STREAM_LIMITS,
    lookMs: 5,
    quietMs: 60_000,
    streams: 2,
    ...limits,
  });
  const app = new Hono<ApiEnv>();
  app.onError((error, c) => c.text(error.message, 500));
  app.get("/", (c) =>
    streams.answer(c, async () => {
      if (broken.by !== undefined) throw broken.by;
      return { ...now };
    }),
  );
  return { open: async () => app.request("/"), stopping, now, broken };
}

test("a quiet stream is written to now and then, with what is no event", async () => {
  const { open } = stillApp({ quietMs: 20 });
  const response = await open();
  let text = "";
  for await (const piece of response.body?.pipeThrough(new TextDecoderStream()) ?? []) {
    text += piece;
    if (text.split(": nothing new\n\n").length > 3) break;
  }
  expect(text).toMatch(/^data: \{"count":1\}\nid: 1\n\n(: nothing new\n\n)+$/);
});

test("there are so many streams at a time, and one that a client leaves makes room", async () => {
  const { open } = stillApp();
  const [first, second] = [await open(), await open()];
  const refused = await open();
  expect([refused.status, await refused.text()]).toEqual([
    500,
    "There are 2 streams of events open here already. Poll instead.",
  ]);
  await first.body?.cancel();
  await expect.poll(async () => (await open()).status).toBe(200);
  await second.body?.cancel();
});

test("all streams end when the process is to stop", async () => {
  const { open, stopping } = stillApp();
  const reading = [readAll(await open()), readAll(await open())];
  stopping.abort();
  expect((await Promise.all(reading)).map((events) => events.length)).toEqual([1, 1]);
});

test("a stream ends when it has lasted as long as one may, and makes room", async () => {
  const { open } = stillApp({ longestMs: 20 });
  for (let time = 0; time < 3; time++) expect(await readAll(await open())).toHaveLength(1);
});

test("a stream that cannot look any more ends, so that the client asks again, and that is logged", async () => {
  const { open, broken } = stillApp();
  const reading = readAll(await open());
  broken.by = new Error("Redis is away");
  expect(await reading).toHaveLength(1);
  expect(api.logLines.some((line) => line.includes("a stream broke off") && line.includes("away"))).toBe(
    true,
  );
});
