import * as fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { Batch } from "../../../shared/contracts/batch.ts";
import { redisKeys } from "../../../shared/keys.ts";
import { newId } from "../../../shared/new-id.ts";
import {
  endBatch,
  finalizeBatch,
  getBatchState,
  putBatch,
  startBatch,
} from "../../../shared/state/batches.ts";
import { countChunk, sealChunks } from "../../../shared/state/count-chunk.ts";
import { saveCursor } from "../../../shared/state/scan-cursor.ts";
import { batchRecord } from "../../support/labelling.ts";
import { startTestRedis } from "../../support/redis.ts";
import type { TestRedis } from "../../support/redis.ts";

let server: TestRedis;
beforeAll(async () => {
  server = await startTestRedis();
});
afterAll(() => server.stop());

const DAY = 86_400;
const GOES_ON = { isLast: false, progressAt: undefined };

async function newBatch(total: number, chunks: number): Promise<string> {
  const record = batchRecord();
  await putBatch(server.redis, record, total);
  await startBatch(server.redis, record.id);
  await sealChunks(server.redis, record.id, chunks);
  return record.id;
}
const batchOf = async (id: string) => (await getBatchState(server.redis, id))?.batch;

test("a batch goes from validating to completed and says when it came to each state", async () => {
  const { redis } = server;
  const record = batchRecord({ metadata: { album: "2026" } });
  const seen: (Batch | undefined)[] = [];
  const look = async () => void seen.push(await batchOf(record.id));
  await putBatch(redis, record, 3);
  await look();
  await startBatch(redis, record.id);
  await sealChunks(redis, record.id, 1);
  await look();
  await countChunk(redis, record.id, { number: 0, counts: { succeeded: 2, failed: 1 } });
  await finalizeBatch(redis, record.id);
  await look();
  await endBatch(redis, record.id, "completed", new Date().toISOString());
  await look();
  for (const batch of seen) expect(Batch.safeParse(batch).success).toBe(true);
  expect(seen.map((batch) => batch?.status)).toEqual([
    "validating",
    "in_progress",
    "finalizing",
    "completed",
  ]);
  expect(seen.map((batch) => batch?.progress)).toEqual([0, 0, 1, 1]);
  const times = seen.map((batch) => [batch?.in_progress_at, batch?.finalizing_at, batch?.completed_at]);
  expect(times.map((row) => row.filter((time) => time !== null).length)).toEqual([0, 1, 2, 3]);
  expect(seen[3]).toMatchObject({
    id: record.id,
    object: "batch",
    model: "birds",
    metadata: { album: "2026" },
    created_at: record.created_at,
    request_counts: { total: 3, succeeded: 2, failed: 1, canceled: 0 },
    urls: { get: record.url, results: `${record.url}/results` },
  });
});

test("the time left follows the pace so far, and is unknown before anything is done", async () => {
  const id = await newBatch(100, 10);
  expect((await batchOf(id))?.eta_seconds).toBeNull();
  await server.redis.hset(redisKeys.batch(id), "in_progress_at", new Date(Date.now() - 10_000).toISOString());
  await countChunk(server.redis, id, { number: 0, counts: { succeeded: 20 } });
  const batch = await batchOf(id);
  expect(batch?.progress).toBe(0.2);
  expect(batch?.eta_seconds).toBeGreaterThanOrEqual(40);
  expect(batch?.eta_seconds).toBeLessThanOrEqual(45);
});

test("Redis keeps a batch that moves for a month and a completed one for an hour; storage has it then", async () => {
  const id = await newBatch(1, 1);
  await countChunk(server.redis, id, { number: 0, counts: { succeeded: 1 } });
  expect(await server.redis.ttl(redisKeys.batch(id))).toBeGreaterThan(29 * DAY);
  expect(await server.redis.ttl(redisKeys.batchChunks(id))).toBeGreaterThan(29 * DAY);
  await endBatch(server.redis, id, "completed", new Date().toISOString());
  const ttl = await server.redis.ttl(redisKeys.batch(id));
  expect(ttl).toBeGreaterThan(0);
  expect(ttl).toBeLessThanOrEqual(3_600);
});

test("a batch that Redis does not know is undefined, and counting a chunk of it makes nothing up", async () => {
  const id = newId("bat");
  expect(await getBatchState(server.redis, id)).toBeUndefined();
  expect(await countChunk(server.redis, id, { number: 0, counts: { succeeded: 1 } })).toEqual(GOES_ON);
  expect(await server.redis.keys(`*${id}*`)).toEqual([]);
});

test("however often and in whatever order chunks are told, each counts once and only the complete set is the end", async () => {
  const told = fc.integer({ min: 1, max: 6 }).chain((chunks) =>
    fc.record({
      chunks: fc.constant(chunks),
      order: fc.array(fc.integer({ min: 0, max: chunks - 1 }), { maxLength: 20 }),
    }),
  );
  await fc.assert(
    fc.asyncProperty(told, async ({ chunks, order }) => {
      const id = await newBatch(chunks * 3, chunks);
      const answers = await Promise.all(
        order.map((number) => countChunk(server.redis, id, { number, counts: { succeeded: 2, failed: 1 } })),
      );
      const distinct = (upTo: number) => new Set(order.slice(0, upTo + 1)).size;
      expect(answers.map(({ isLast }) => isLast)).toEqual(order.map((_, i) => distinct(i) === chunks));
      const done = new Set(order).size;
      expect((await batchOf(id))?.request_counts).toMatchObject({ succeeded: done * 2, failed: done });
    }),
    { numRuns: 50 },
  );
});

test("while the source is listed no chunk is the last, and the end is told exactly to who completes it", async () => {
  const told = fc.integer({ min: 0, max: 5 }).chain((chunks) =>
    fc.record({
      chunks: fc.constant(chunks),
      order: fc.shuffledSubarray(["seal", ...Array.from({ length: chunks }, (_, i) => i)], {
        minLength: chunks + 1,
      }),
    }),
  );
  await fc.assert(
    fc.asyncProperty(told, async ({ chunks, order }) => {
      const record = batchRecord();
      await putBatch(server.redis, record, 0);
      await startBatch(server.redis, record.id);
      const answers = await Promise.all(
        order.map(async (event) => {
          if (typeof event !== "number") return sealChunks(server.redis, record.id, chunks);
          const chunk = { number: event, counts: { succeeded: 1 } };
          return (await countChunk(server.redis, record.id, chunk)).isLast;
        }),
      );
      expect(answers).toEqual(order.map((_, i) => i === chunks));
      expect(await sealChunks(server.redis, record.id, chunks), "told again after a crash").toBe(true);
    }),
    { numRuns: 50 },
  );
});

test("the total grows with what is listed, the time left is unknown until all is, and a cursor never goes back", async () => {
  const { redis } = server;
  const record = batchRecord();
  await putBatch(redis, record, 0);
  await startBatch(redis, record.id);
  await saveCursor(redis, record.id, { chunks: 2, items: 100, position: "b" });
  await saveCursor(redis, record.id, { chunks: 1, items: 64, position: "a" });
  await countChunk(redis, record.id, { number: 0, counts: { succeeded: 25 } });
  const listing = await getBatchState(redis, record.id);
  expect(listing).toMatchObject({
    cursor: { chunks: 2, items: 100, position: "b" },
    chunks: null,
    batch: { request_counts: { total: 100 }, progress: 0.25, eta_seconds: null },
  });
  await sealChunks(redis, record.id, 2);
  expect((await batchOf(record.id))?.eta_seconds).toBeGreaterThanOrEqual(0);
});

test("a batch of no items has none, and is all done when it is completed", async () => {
  const record = batchRecord();
  await putBatch(server.redis, record, 0);
  expect(await sealChunks(server.redis, record.id, 0)).toBe(true);
  expect((await batchOf(record.id))?.progress).toBe(0);
  await finalizeBatch(server.redis, record.id);
  await endBatch(server.redis, record.id, "completed", new Date().toISOString());
  expect((await batchOf(record.id))?.progress).toBe(1);
});
