import { afterAll, beforeAll, expect, test } from "vitest";
import type { BatchRecord } from "../../../shared/contracts/queue-payloads.ts";
import { PermanentError, toItemError } from "../../../shared/errors.ts";
import { redisKeys } from "../../../shared/keys.ts";
import { newId } from "../../../shared/new-id.ts";
import {
  endBatch,
  finalizeBatch,
  getBatchState,
  noteFailure,
  putBatch,
  startBatch,
} from "../../../shared/state/batches.ts";
import { countChunk, sealChunks } from "../../../shared/state/count-chunk.ts";
import { claimPage, saveCursor } from "../../../shared/state/scan-cursor.ts";
import { expireBatch, lookAtBatch, requestCancel } from "../../../shared/state/stop-batch.ts";
import { batchRecord } from "../../support/labelling.ts";
import { startTestRedis } from "../../support/redis.ts";
import type { TestRedis } from "../../support/redis.ts";

let server: TestRedis;
beforeAll(async () => {
  server = await startTestRedis();
});
afterAll(() => server.stop());

const START = { chunks: 0, items: 0, position: "" };
const PAGE = { chunks: 2, items: 100, position: "a" };
const NEXT = { chunks: 4, items: 200, position: "b" };

/** A batch of so many items, 0 while nobody knows, of which a page is listed. */
async function listedBatch(total: number, more: Partial<BatchRecord> = {}): Promise<string> {
  const record = batchRecord(more);
  const { id } = record;
  await putBatch(server.redis, record, total);
  await startBatch(server.redis, id);
  await claimPage(server.redis, id, START, PAGE);
  await saveCursor(server.redis, id, PAGE);
  return id;
}
const stateOf = (id: string) => getBatchState(server.redis, id);
const count = (id: string, number: number) =>
  countChunk(server.redis, id, { number, counts: { succeeded: 50 } });
const failure = toItemError(new PermanentError("fetch_failed", "The manifest is damaged."));

test("a batch that is canceled while it is listed has what is listed by then, and its last chunk is the end", async () => {
  const id = await listedBatch(0);
  await count(id, 0);
  expect(await requestCancel(server.redis, id)).toBe("canceling");
  expect(await stateOf(id)).toMatchObject({
    chunks: 2,
    rest: PAGE,
    stop: "canceled",
    batch: {
      status: "canceling",
      canceling_at: expect.any(String),
      request_counts: { total: 100, succeeded: 50, canceled: 0 },
      progress: 0.5,
      eta_seconds: null,
    },
  });
  expect(await claimPage(server.redis, id, PAGE, NEXT)).toBe("stopped");
  expect(await sealChunks(server.redis, id, 4)).toBe(false);
  expect((await count(id, 1)).isLast).toBe(true);
});

test("a page that is claimed belongs to it, and is still enqueued by whoever goes on", async () => {
  const id = await listedBatch(0);
  await claimPage(server.redis, id, PAGE, NEXT);
  await requestCancel(server.redis, id);
  expect(await stateOf(id)).toMatchObject({ chunks: 4, rest: NEXT, isClaimed: true });
  expect(await claimPage(server.redis, id, PAGE, NEXT)).toBe("go");
  await saveCursor(server.redis, id, NEXT);
  expect(await stateOf(id)).toMatchObject({ isClaimed: false, batch: { request_counts: { total: 200 } } });
});

test("items that were never listed count as canceled where it is known how many there are", async () => {
  const id = await listedBatch(130);
  await requestCancel(server.redis, id);
  await requestCancel(server.redis, id);
  expect(await stateOf(id)).toMatchObject({
    listed: 100,
    rest: null,
    batch: { request_counts: { total: 130, canceled: 30 }, progress: 30 / 130 },
  });
});

test("a batch that was listed to its end has no rest", async () => {
  const id = await listedBatch(100);
  await sealChunks(server.redis, id, 2);
  expect(await requestCancel(server.redis, id)).toBe("canceling");
  expect(await stateOf(id)).toMatchObject({ chunks: 2, rest: null });
});

test("one that has not begun is canceled whole, and does not begin any more", async () => {
  const record = batchRecord();
  await putBatch(server.redis, record, 3);
  expect(await requestCancel(server.redis, record.id)).toBe("canceling");
  await startBatch(server.redis, record.id);
  expect(await stateOf(record.id)).toMatchObject({
    chunks: 0,
    batch: { status: "canceling", request_counts: { canceled: 3 }, progress: 1 },
  });
  expect(await sealChunks(server.redis, record.id, 0)).toBe(true);
});

test("what was asked first counts: a batch that is canceled does not expire, and the other way round", async () => {
  const id = await listedBatch(0);
  await requestCancel(server.redis, id);
  expect(await expireBatch(server.redis, id)).toBe("canceling");
  expect((await stateOf(id))?.stop).toBe("canceled");
  const other = await listedBatch(0);
  await expireBatch(server.redis, other);
  expect(await requestCancel(server.redis, other)).toBe("canceling");
  expect((await stateOf(other))?.stop).toBe("expired");
});

test("once all of its items have ended it is too late, and nothing changes", async () => {
  const { redis } = server;
  const done = await listedBatch(100);
  await sealChunks(redis, done, 2);
  for (const chunk of [0, 1]) await count(done, chunk);
  const finalizing = await listedBatch(100);
  await finalizeBatch(redis, finalizing);
  const completed = await listedBatch(100);
  await endBatch(redis, completed, "completed", new Date().toISOString());
  const failing = await listedBatch(0);
  await noteFailure(redis, failing, failure);
  for (const id of [done, finalizing, completed, failing]) {
    const before = await redis.hgetall(redisKeys.batch(id));
    expect(await requestCancel(redis, id)).toBe("ended");
    expect(await redis.hgetall(redisKeys.batch(id))).toEqual(before);
  }
  expect(await requestCancel(redis, newId("bat"))).toBe("unknown");
});

test("whoever puts the results together leaves a batch that stops as it is, and notes when it began", async () => {
  const id = await listedBatch(0);
  await requestCancel(server.redis, id);
  await finalizeBatch(server.redis, id);
  expect((await stateOf(id))?.batch).toMatchObject({
    status: "canceling",
    finalizing_at: expect.any(String),
  });
});

test("a worker that looks sees how its batch is, and a deadline that has passed expires it", async () => {
  const { redis } = server;
  const past = new Date(Date.now() - 1).toISOString();
  const future = new Date(Date.now() + 60_000).toISOString();
  const late = await listedBatch(0, { deadline: past });
  const [moving, canceled, failing, ended] = await Promise.all([
    listedBatch(0, { deadline: future }),
    listedBatch(0),
    listedBatch(0),
    listedBatch(0),
  ]);
  await requestCancel(redis, canceled);
  await noteFailure(redis, failing, failure);
  await endBatch(redis, ended, "completed", past);
  const ids = [moving, canceled, late, failing, ended, newId("bat")];
  const seen = await Promise.all(ids.map((id) => lookAtBatch(redis, id)));
  expect(seen).toEqual(["moving", "canceled", "expired", "over", "over", "over"]);
  expect((await stateOf(late))?.batch.status).toBe("canceling");
});

test("after its deadline the last chunk of a batch whose items have all ended still calls for the end", async () => {
  const id = await listedBatch(100, { deadline: new Date(Date.now() - 1).toISOString() });
  await sealChunks(server.redis, id, 2);
  for (const chunk of [0, 1]) await count(id, chunk);
  expect(await lookAtBatch(server.redis, id)).toBe("moving");
  expect((await count(id, 1)).isLast).toBe(true);
});

test("in a batch that fails no chunk counts any more, and its source is never sealed", async () => {
  const id = await listedBatch(0);
  expect(await noteFailure(server.redis, id, failure)).toBe(true);
  expect(await noteFailure(server.redis, id, { ...failure, detail: "Another." })).toBe(true);
  expect((await count(id, 0)).isLast).toBe(false);
  expect(await sealChunks(server.redis, id, 0)).toBe(false);
  expect((await stateOf(id))?.batch).toMatchObject({ error: failure, request_counts: { succeeded: 0 } });
});

test("a batch that another worker has listed to its end does not fail for one that could not", async () => {
  const id = await listedBatch(0);
  await sealChunks(server.redis, id, 2);
  expect(await noteFailure(server.redis, id, failure)).toBe(false);
  expect((await stateOf(id))?.batch.error).toBeNull();
});

test("a worker that was overtaken is told so, and claims nothing", async () => {
  const id = await listedBatch(0);
  expect(await claimPage(server.redis, id, START, PAGE)).toBe("behind");
  expect(await stateOf(id)).toMatchObject({ cursor: PAGE, isClaimed: false });
});

test("progress is told at most every five seconds, by one chunk, and again by the same one", async () => {
  const tells = { webhook: { url: "https://client.example/hook", events: ["batch.progress" as const] } };
  const [asked, unasked] = await Promise.all([listedBatch(0, tells), listedBatch(0)]);
  const first = await count(asked, 0);
  expect(first.progressAt).toEqual(expect.any(String));
  expect(await count(asked, 1)).toEqual({ isLast: false, progressAt: undefined });
  expect(await count(asked, 0)).toEqual(first);
  await server.redis.hincrby(redisKeys.batch(asked), "progress_at", -5_000);
  expect((await count(asked, 1)).progressAt, "it was counted before").toBeUndefined();
  expect((await count(asked, 2)).progressAt).not.toBe(first.progressAt);
  expect((await count(unasked, 0)).progressAt).toBeUndefined();
});
