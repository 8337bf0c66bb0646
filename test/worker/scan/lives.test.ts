import * as fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { ApiConfig } from "../../../api/config.ts";
import { acceptBatch } from "../../../api/services/accept-batch.ts";
import { retryBatch } from "../../../api/services/retry-batch.ts";
import { readManifest } from "../../../shared/batch-manifest.ts";
import { readConfig } from "../../../shared/config.ts";
import { BatchResult } from "../../../shared/contracts/batch.ts";
import type { BatchRecord, BatchSource } from "../../../shared/contracts/queue-payloads.ts";
import { PermanentError } from "../../../shared/errors.ts";
import { storageKeys } from "../../../shared/keys.ts";
import { getBatchState } from "../../../shared/state/batches.ts";
import { expireBatch, requestCancel } from "../../../shared/state/stop-batch.ts";
import type { Stopping } from "../../../shared/state/stop-batch.ts";
import type { SourceBuckets } from "../../../shared/storage/source-buckets.ts";
import { newTraceparent } from "../../../shared/traceparent.ts";
import { batchRecord } from "../../support/labelling.ts";
import { memoryStorage } from "../../support/memory-storage.ts";
import { simulatedWorkers } from "../../support/simulated-workers.ts";
import type { Incident } from "../../support/simulated-workers.ts";
import { openWorkerDeps } from "../../support/worker-deps.ts";
import type { WorkerTestDeps } from "../../support/worker-deps.ts";

let deps: WorkerTestDeps;
beforeAll(async () => {
  deps = await openWorkerDeps();
});
afterAll(() => deps.stop());

/** Those of a prefix come in pages of 65, those of a request in pages of 960. */
const OF_PREFIX = 200;
const OF_REQUEST = 1_000;
const names = (total: number) => Array.from({ length: total }, (_, i) => `n-${String(i).padStart(4, "0")}`);

/** A bucket that lists 65 objects at a time and cannot, once, from the object `brokenAt` on. */
function listedBucket(brokenAt = Infinity): SourceBuckets {
  const keys = names(OF_PREFIX);
  let isMended = false;
  return {
    ...deps.buckets,
    async list(_bucket, _prefix, { after }) {
      const from = keys.findIndex((key) => key > after);
      if (from >= brokenAt && !isMended) {
        isMended = true;
        throw new PermanentError("fetch_failed", "The bucket is gone.");
      }
      const page = from < 0 ? [] : keys.slice(from, from + 65);
      return {
        objects: page.map((key) => ({ key, size: 1, etag: "1" })),
        isLast: from < 0 || from + 65 >= keys.length,
      };
    },
  };
}

/** When workers are killed: at any step, or soon after the batch was stopped. */
const kills = fc.array(
  fc.record({
    step: fc.nat(250),
    isSoon: fc.boolean(),
    does: fc.constantFrom("kill before" as const, "kill after" as const),
  }),
  { maxLength: 4 },
);
/** Whose turn it is. */
const order = fc.array(fc.nat(50), { minLength: 1, maxLength: 20 });
const stopAt = fc.oneof(fc.nat(40), fc.nat(250));
/** One life of a batch. */
const stoppedLife = fc.record({
  stopAt,
  as: fc.constantFrom("canceled" as const, "expired" as const),
  kills,
  order,
});
type Life = typeof stoppedLife extends fc.Arbitrary<infer Made> ? Made : never;
const incidentsOf = (killed: Life["kills"], stopped: number): Incident[] =>
  killed.map(({ step, isSoon, does }) => ({ step: isSoon ? stopped + (step % 6) : step, does }));

async function newWorld(fromRequest: boolean, brokenAt?: number) {
  const storage = memoryStorage();
  const workers = simulatedWorkers(deps, storage, listedBucket(brokenAt));
  const source: BatchSource = fromRequest
    ? { type: "items" }
    : { type: "prefix", bucket: "photos", prefix: "" };
  const record = batchRecord({ source });
  const all = names(fromRequest ? OF_REQUEST : OF_PREFIX);
  const lines = all.map((custom_id, index) =>
    JSON.stringify({ index, custom_id, image: { type: "url", url: `https://images.example/${custom_id}` } }),
  );
  await storage.put(storageKeys.batchItems(record.id), `${lines.join("\n")}\n`, { contentType: "" });
  const api = {
    config: readConfig(ApiConfig, { API_KEY: "a-key-that-nobody-asks-for" }),
    backlog: { ageMs: async () => 0 },
    redis: deps.redis,
    storage,
    queues: workers.queues,
    baseUrl: () => "https://api.example",
  };
  const accept = (made: BatchRecord) =>
    acceptBatch(api, made, { total: fromRequest ? all.length : 0, traceparent: newTraceparent() });
  const linesOf = async (key: string) => {
    const text = new TextDecoder().decode(await storage.get(key));
    return text.split("\n").flatMap((line) => (line === "" ? [] : [BatchResult.parse(JSON.parse(line))]));
  };
  return { api, workers, record, all, accept, linesOf };
}
type World = Awaited<ReturnType<typeof newWorld>>;

/** Lets workers live a batch, who are told to stop it on the way, and checks that what it ended as is one and the same everywhere. */
async function live(
  { workers, linesOf, api }: World,
  id: string,
  { stopAt: stopped, as, kills: killed, order: turns }: Life,
) {
  let answer: Stopping | undefined;
  const stop: Incident = {
    step: stopped,
    does: async () => {
      answer = await (as === "canceled" ? requestCancel : expireBatch)(deps.redis, id);
    },
  };
  await workers.run(turns, [stop, ...incidentsOf(killed, stopped)]);
  const ended = await readManifest(api.storage, id);
  if (ended === undefined) throw new Error(`${id} has no manifest.`);
  const { batch } = ended;
  expect(batch.status).toBe(answer === "canceling" ? as : "completed");
  expect(batch).toMatchObject({ progress: 1, eta_seconds: null });
  expect(batch[`${batch.status as "completed"}_at`]).toEqual(expect.any(String));
  expect((await getBatchState(deps.redis, id))?.batch).toEqual(batch);
  const told = [...workers.delivered.values()].filter(({ body }) => body.includes(`"id":"${id}"`));
  expect(told.map(({ event_type }) => event_type)).toEqual([`batch.${batch.status}`]);
  const results = await linesOf(storageKeys.batchResults(id));
  const errors = await linesOf(storageKeys.batchErrors(id));
  const { total, succeeded, failed, canceled } = batch.request_counts;
  expect(errors).toEqual(results.filter(({ status }) => status !== "succeeded"));
  expect(errors.every(({ status, input }) => status === "canceled" && input !== undefined)).toBe(true);
  expect(failed).toBe(0);
  expect(succeeded + canceled).toBe(total);
  expect(results.length - errors.length).toBe(succeeded);
  expect(results.length).toBe(total);
  return {
    batch,
    results,
    labelled: results.flatMap((line) => (line.status === "succeeded" ? [line.custom_id] : [])),
  };
}

test("stopped and killed at any step it ends, and retried until nothing is left every item is labelled exactly once", async () => {
  const lives = fc.array(stoppedLife, { minLength: 1, maxLength: 3 });
  await fc.assert(
    fc.asyncProperty(fc.boolean(), lives, order, async (fromRequest, stopped, lastOrder) => {
      const world = await newWorld(fromRequest);
      await world.accept(world.record);
      let { id } = world.record;
      const labelled: string[] = [];
      for (const each of [...stopped, { stopAt: -1, as: "canceled" as const, kills: [], order: lastOrder }]) {
        const life = await live(world, id, each);
        labelled.push(...life.labelled);
        const isFirst = id === world.record.id;
        const listed = isFirst ? life.results.map(({ custom_id }) => custom_id) : [];
        expect(listed).toEqual(world.all.slice(0, listed.length));
        const { total } = life.batch.request_counts;
        expect(total).toBe(isFirst && fromRequest ? world.all.length : total);
        if (labelled.length === world.all.length) break;
        const retry = await retryBatch(world.api, "default", id, newTraceparent());
        expect(retry).toMatchObject({ retry_of: id, status: "validating", canceled_at: null });
        id = retry.id;
      }
      expect(labelled.toSorted()).toEqual(world.all);
    }),
    { numRuns: 60 },
  );
}, 120_000);

test("of a source that breaks off the batch ends, failed or not, wherever it is stopped and workers are killed", async () => {
  const brokenAt = fc.constantFrom(0, 65, 130);
  await fc.assert(
    fc.asyncProperty(brokenAt, stopAt, kills, order, async (broken, stopped, killed, turns) => {
      const { workers, api, record, accept } = await newWorld(false, broken);
      await accept(record);
      const stop = async () => void (await requestCancel(deps.redis, record.id));
      await workers.run(turns, [{ step: stopped, does: stop }, ...incidentsOf(killed, stopped)]);
      const batch = (await readManifest(api.storage, record.id))?.batch;
      expect(["failed", "canceled", "completed"]).toContain(batch?.status);
      expect(batch?.error !== null).toBe(batch?.status === "failed");
      expect((await getBatchState(deps.redis, record.id))?.batch).toEqual(batch);
      const told = [...workers.delivered.values()].map(({ event_type }) => event_type);
      expect(told).toEqual([`batch.${batch?.status}`]);
    }),
    { numRuns: 60 },
  );
}, 60_000);
