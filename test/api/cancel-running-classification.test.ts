import { Worker } from "bullmq";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { Classification } from "../../shared/contracts/classification.ts";
import { ClassifyImagePayload } from "../../shared/contracts/queue-payloads.ts";
import { REDIS_PREFIX } from "../../shared/keys.ts";
import { queuedClassification } from "../../shared/queued-classification.ts";
import { queueNames } from "../../shared/queue.ts";
import { saveResult } from "../../shared/save-result.ts";
import { openCanceledFeed } from "../../shared/state/canceled-feed.ts";
import { runClassification } from "../../worker/classify/run-classification.ts";
import { startTestServer } from "../support/http-server.ts";
import { openWorkerDeps } from "../support/worker-deps.ts";
import type { WorkerTestDeps } from "../support/worker-deps.ts";
import { cancelCalls } from "./support/cancel-calls.ts";
import { startTestApi } from "./support/test-api.ts";
import type { TestApi } from "./support/test-api.ts";

const CLASSIFICATIONS = "/v1/classifications";
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

const { create, cancel, get, stored, jobOf, eventsOf, labelling } = cancelCalls(
  () => api,
  () => workerDeps,
);

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
