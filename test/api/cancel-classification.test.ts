import { Worker } from "bullmq";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import type { ApiDeps } from "../../api/deps.ts";
import { cancelClassification } from "../../api/services/cancel-classification.ts";
import { Classification } from "../../shared/contracts/classification.ts";
import { ClassifyImagePayload, DeliverPayload } from "../../shared/contracts/queue-payloads.ts";
import { REDIS_PREFIX } from "../../shared/keys.ts";
import { batchItemId, messageId, newId } from "../../shared/new-id.ts";
import { queuedClassification } from "../../shared/queued-classification.ts";
import { queueNames } from "../../shared/queue.ts";
import { readResult, saveResult } from "../../shared/save-result.ts";
import { openCanceledFeed } from "../../shared/state/canceled-feed.ts";
import { runClassification } from "../../worker/classify/run-classification.ts";
import { killSwitch } from "../support/kill-switch.ts";
import { startTestServer } from "../support/http-server.ts";
import { swan, testLabelling } from "../support/labelling.ts";
import { readQueue } from "../support/queue-reader.ts";
import { openWorkerDeps } from "../support/worker-deps.ts";
import type { WorkerTestDeps } from "../support/worker-deps.ts";
import { startTestApi } from "./support/test-api.ts";
import type { TestApi } from "./support/test-api.ts";

const CLASSIFICATIONS = "/v1/classifications";
const HOOK = "https://client.example/hook";
const image = { url: "https://images.example/swan" };
const LANE = queueNames.classify("figures", "interactive");
const FIRST = { number: 1, crashes: 0, isRepeated: false };
const AGAIN = { number: 1, crashes: 1, isRepeated: true };

let api: TestApi;
let workerDeps: WorkerTestDeps;
beforeAll(async () => {
  api = await startTestApi();
  workerDeps = await openWorkerDeps();
});
afterAll(async () => {
  await workerDeps.stop();
  await api.close();
});

const create = async (more: object = {}): Promise<string> => {
  const response = await api.post(CLASSIFICATIONS, { image, webhook: HOOK, ...more });
  return Classification.parse(await response.json()).id;
};
const cancel = (id: string) => api.post(`${CLASSIFICATIONS}/${id}/cancel`, {});
const get = async (id: string) =>
  Classification.parse(await (await api.request(`${CLASSIFICATIONS}/${id}`)).json());
const stored = (id: string) => readResult(api.deps.storage, { tenant: "default", id });
async function jobOf(id: string): Promise<ClassifyImagePayload> {
  const found = await api.deps.queues.findClassification(["figures"], id);
  if (found === undefined) throw new Error(`${id} has no job.`);
  return found.payload;
}
async function eventsOf(id: string): Promise<string[]> {
  const jobs = await readQueue(api.redis.redis, queueNames.deliver);
  const payloads = jobs.map(({ payload }) => DeliverPayload.parse(payload));
  return payloads.filter(({ body }) => body.includes(id)).map(({ event_type }) => event_type);
}

/** A worker's handler over the Redis and the storage of the API. */
function labelling() {
  const { classifyDeps, fetched } = testLabelling(workerDeps, { "/swan": [swan] });
  const { redis, storage, queues } = api.deps;
  return { deps: { ...classifyDeps, redis, storage, queues }, fetched };
}

/** Takes one job as a worker does, and holds it until it is told to do something with it. */
async function takeJob() {
  const { promise: isTaken, resolve: taken } = Promise.withResolvers<ClassifyImagePayload>();
  const { promise: mayEnd, resolve: end } = Promise.withResolvers<void>();
  const worker = new Worker<unknown>(
    LANE,
    async ({ data }) => {
      taken(ClassifyImagePayload.parse(data));
      await mayEnd;
    },
    { connection: api.redis.redis, prefix: REDIS_PREFIX },
  );
  const payload = await isTaken;
  return {
    payload,
    close: async () => {
      end();
      await worker.close();
    },
  };
}

test("one that waits is taken out of its queue, ends as canceled and is told so to its receiver", async () => {
  const id = await create();
  const response = await cancel(id);
  expect(response.status).toBe(200);
  const canceled = Classification.parse(await response.json());
  expect(canceled).toMatchObject({
    id,
    status: "canceled",
    predictions: null,
    error: { code: "canceled", detail: "It was canceled before it was labelled.", retryable: true },
    started_at: null,
    completed_at: expect.any(String),
  });
  expect(await api.deps.queues.findClassification(["figures"], id)).toBeUndefined();
  expect(await get(id)).toEqual(canceled);
  expect(await eventsOf(id)).toEqual(["classification.canceled"]);
});

test("whoever waits for it is told at once", async () => {
  const waiting = api.post(CLASSIFICATIONS, { image, metadata: { mark: "waits" } }, { prefer: "wait=30" });
  const find = async () => {
    const jobs = (await readQueue(api.redis.redis, LANE)).map(({ payload }) =>
      ClassifyImagePayload.parse(payload),
    );
    return jobs.find(({ metadata }) => metadata["mark"] === "waits")?.id;
  };
  await expect.poll(find).toBeDefined();
  await cancel((await find()) ?? "");
  const response = await waiting;
  expect(response.status).toBe(200);
  expect(await response.json()).toMatchObject({ status: "canceled" });
});

test("canceling it again answers the same and tells nobody again", async () => {
  const id = await create();
  const first: unknown = await (await cancel(id)).json();
  const again = await cancel(id);
  expect(again.status).toBe(200);
  expect(await again.json()).toEqual(first);
  expect(await eventsOf(id)).toEqual(["classification.canceled"]);
});

test("one that has ended is refused with what it ended as", async () => {
  const id = await create();
  const { deps } = labelling();
  await runClassification(await jobOf(id), FIRST, deps);
  const response = await cancel(id);
  expect(response.status).toBe(409);
  expect(await response.json()).toMatchObject({
    code: "conflict",
    detail: `The classification ${id} has ended: it is succeeded, and there is nothing left to cancel.`,
  });
  expect(await get(id)).toMatchObject({ status: "succeeded" });
  expect(await eventsOf(id)).toEqual(["classification.succeeded"]);
});

test("one that there is not is not found, and the item of a batch is canceled with its batch", async () => {
  expect((await cancel(newId("cls"))).status).toBe(404);
  const batch = newId("bat");
  const response = await cancel(batchItemId(batch, 3));
  expect(response.status).toBe(404);
  expect(JSON.stringify(await response.json())).toContain(`item 3 of batch ${batch}`);
});

test("one that a worker has in hand is canceled at once, and the worker is told not to run it", async () => {
  const id = await create();
  const held = await takeJob();
  const canceled = openCanceledFeed(api.redis.redis.duplicate());
  const { deps, fetched } = labelling();
  const { promise: isPreparing, resolve: preparing } = Promise.withResolvers<void>();
  const safeFetch: typeof deps.labelling.sources.safeFetch = {
    ...deps.labelling.sources.safeFetch,
    async fetch(url, options) {
      const found = deps.labelling.sources.safeFetch.fetch(url, options);
      preparing();
      await new Promise((abort) => options.signal?.addEventListener("abort", abort));
      return found;
    },
  };
  const sources = { ...deps.labelling.sources, safeFetch };
  const working = runClassification(held.payload, FIRST, {
    ...deps,
    canceled,
    labelling: { ...deps.labelling, sources },
  });
  await isPreparing;
  const response = await cancel(id);
  expect(await response.json()).toMatchObject({ id, status: "canceled", started_at: expect.any(String) });
  await working;
  expect(fetched).toEqual(["/swan"]);
  expect(await get(id)).toMatchObject({ status: "canceled", metrics: { total_ms: expect.any(Number) } });
  expect(await eventsOf(id)).toEqual(["classification.canceled"]);
  canceled.close();
  await held.close();
  expect(await get(id)).toMatchObject({ status: "canceled" });
});

test("a worker that did not hear of it and has labels already tells that it was canceled", async () => {
  const id = await create();
  const held = await takeJob();
  await cancel(id);
  await runClassification(held.payload, FIRST, labelling().deps);
  await held.close();
  expect(await get(id)).toMatchObject({ status: "canceled", predictions: null });
  expect(await eventsOf(id)).toEqual(["classification.canceled"]);
});

test("one whose worker stored its labels just before keeps them, and is told as succeeded once", async () => {
  const id = await create();
  const held = await takeJob();
  const labelled = { ...queuedClassification(held.payload), status: "succeeded" as const, predictions: [] };
  await saveResult({ ...labelled, completed_at: new Date().toISOString() }, held.payload, api.deps);
  expect((await cancel(id)).status).toBe(409);
  await runClassification(held.payload, AGAIN, labelling().deps);
  await held.close();
  expect(await get(id)).toMatchObject({ status: "succeeded" });
  expect(await eventsOf(id)).toEqual(["classification.succeeded"]);
});

test("however a cancel and a completion meet, there is one end, and all are told that one", async () => {
  const ends = await Promise.all(
    Array.from({ length: 40 }, async (_, delayMs) => {
      const id = await create();
      const working = runClassification(await jobOf(id), FIRST, labelling().deps);
      await new Promise((resolve) => setTimeout(resolve, delayMs));
      const [response] = await Promise.all([cancel(id), working]);
      const status = (await stored(id))?.status;
      expect([status, response.status]).toEqual(response.ok ? ["canceled", 200] : ["succeeded", 409]);
      expect(await eventsOf(id)).toEqual([`classification.${status}`]);
      return status;
    }),
  );
  expect(ends).toHaveLength(40);
});

test("a worker breaks off at once what it is fetching for one that is canceled", async () => {
  const server = await startTestServer(() => "hang");
  const busy = await startTestApi();
  await busy.startWorker();
  const source = { url: `${server.url}/slow` };
  const created = await busy.post(CLASSIFICATIONS, { image: source });
  const { id } = Classification.parse(await created.json());
  await vi.waitUntil(() => server.received.length === 1);
  const canceled = await busy.post(`${CLASSIFICATIONS}/${id}/cancel`, {});
  expect(await canceled.json()).toMatchObject({ status: "canceled" });
  // Fetching gives up after 20 seconds: a job that is gone by then was broken off.
  const job = () => busy.deps.queues.findClassification(["figures"], id);
  await vi.waitUntil(async () => (await job()) === undefined, { timeout: 5_000 });
  await busy.close();
  await server.stop();
});

/** The parts of the API of which each call may be its last. */
function mortal(fatal: number, when: "before" | "after") {
  const kill = killSwitch(fatal, when);
  const deps: ApiDeps = {
    ...api.deps,
    storage: kill.lay(api.deps.storage, ["get", "putIfAbsent"]),
    queues: kill.lay(api.deps.queues, ["findClassification", "enqueueDeliver", "removeClassification"]),
    redis: kill.lay(api.deps.redis, ["publish"]),
  };
  return { deps, calls: kill.calls };
}

test.each(["before", "after"] as const)(
  "wherever the API dies, killed %s a step, there is one end, which everybody is told and which canceling again finds",
  async (when) => {
    let fatal = 1;
    for (; ; fatal++) {
      const id = await create();
      const job = await jobOf(id);
      const { deps, calls } = mortal(fatal, when);
      await cancelClassification(deps, "default", id).catch(() => {});
      if (calls() < fatal) break;
      const before = await stored(id);
      const isThere = (await api.deps.queues.findClassification(["figures"], id)) !== undefined;
      // Half of those that are still queued a worker takes first, the others are canceled again.
      if (isThere && fatal % 2 === 0) await runClassification(job, FIRST, labelling().deps);
      await cancel(id);
      const ended = await stored(id);
      expect(ended).toEqual(before ?? ended);
      expect(["canceled", "succeeded"]).toContain(ended?.status);
      expect(await messagesOf(id)).toEqual([await messageId(id, `classification.${ended?.status}`, HOOK)]);
    }
    expect(fatal).toBeGreaterThan(4);
  },
);

const messagesOf = async (id: string) => {
  const jobs = await readQueue(api.redis.redis, queueNames.deliver);
  return jobs
    .map(({ payload }) => DeliverPayload.parse(payload))
    .filter(({ body }) => body.includes(id))
    .map(({ message_id }) => message_id);
};
