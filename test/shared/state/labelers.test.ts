import { afterAll, beforeAll, expect, test } from "vitest";
import { Labeler } from "../../../shared/contracts/labeler.ts";
import { redisKeys } from "../../../shared/keys.ts";
import {
  MAX_LABELERS,
  activate,
  countMissed,
  forgetLabeler,
  getLabelerState,
  isPaused,
  labelersOfBucket,
  listLabelers,
  pause,
  putLabeler,
} from "../../../shared/state/labelers.ts";
import { labelerRecord } from "../../support/labeler-record.ts";
import { startTestRedis } from "../../support/redis.ts";
import type { TestRedis } from "../../support/redis.ts";

let server: TestRedis;
beforeAll(async () => {
  server = await startTestRedis();
});
afterAll(() => server.stop());

async function newLabeler(more: Parameters<typeof labelerRecord>[0] = {}) {
  const record = labelerRecord(more);
  expect(await putLabeler(server.redis, record)).toBe(true);
  return record;
}

const stateOf = async (id: string) => getLabelerState(server.redis, "default", id);

test("a labeler is kept for good, as the contract has it", async () => {
  const record = await newLabeler({ suffixes: [".jpg"], metadata: { album: "2026" } });
  const state = await stateOf(record.id);
  expect(Labeler.parse(state?.labeler)).toEqual(state?.labeler);
  expect(state?.record).toEqual(record);
  expect(state?.labeler).toMatchObject({
    status: "active",
    suffixes: [".jpg"],
    metadata: { album: "2026" },
    event_counts: { labelled: 0, failed: 0, skipped: 0, missed: 0 },
    paused_at: null,
    urls: { get: record.url, runs: `${record.url}/runs` },
  });
  expect(await server.redis.ttl(redisKeys.labeler(record.id))).toBe(-1);
});

test("a tenant's labelers are listed, the newest first, and nobody else's", async () => {
  const first = await newLabeler({ tenant: "lister" });
  const second = await newLabeler({ tenant: "lister" });
  const { data, next } = await listLabelers(server.redis, "lister", { limit: 20, before: undefined });
  expect(next).toBeNull();
  expect(data.map(({ record }) => record.id)).toEqual([second.id, first.id].toSorted().toReversed());
  expect(await stateOf(first.id)).toBeUndefined();
});

test("the labelers of a bucket are found whosever they are", async () => {
  const mine = await newLabeler({ bucket: "shared-bucket" });
  const theirs = await newLabeler({ bucket: "shared-bucket", tenant: "other" });
  const found = await labelersOfBucket(server.redis, "shared-bucket");
  expect(found.map(({ record }) => record.id).toSorted()).toEqual([mine.id, theirs.id].toSorted());
});

test("a tenant may have so many and not one more", async () => {
  const made = await Promise.all(
    Array.from({ length: MAX_LABELERS + 5 }, () =>
      putLabeler(server.redis, labelerRecord({ tenant: "many" })),
    ),
  );
  expect(made.filter((each) => each)).toHaveLength(MAX_LABELERS);
  const all = await listLabelers(server.redis, "many", { limit: MAX_LABELERS + 5, before: undefined });
  expect(all.data).toHaveLength(MAX_LABELERS);
});

test("a pause has the time of its beginning, however often it is asked for, until it ends", async () => {
  const { id } = await newLabeler();
  expect(await isPaused(server.redis, id)).toBe(false);
  await pause(server.redis, id);
  const began = (await stateOf(id))?.labeler.paused_at;
  await pause(server.redis, id);
  expect((await stateOf(id))?.labeler).toMatchObject({ status: "paused", paused_at: began });
  expect(began).not.toBeNull();
  expect(await isPaused(server.redis, id)).toBe(true);
  await activate(server.redis, id);
  expect((await stateOf(id))?.labeler).toMatchObject({ status: "active", paused_at: null });
});

test("what is told while it is paused is missed, and unseen, for no run looks for it yet", async () => {
  const { id } = await newLabeler();
  expect(await countMissed(server.redis, id, 5), "while it is active").toBe(false);
  await pause(server.redis, id);
  expect(await countMissed(server.redis, id, 3)).toBe(true);
  const state = await stateOf(id);
  expect(state?.labeler.event_counts).toEqual({ labelled: 0, failed: 0, skipped: 0, missed: 3 });
  expect(state?.unseen).toBe(3);
});

test("a labeler that was deleted counts as paused, and nothing brings back a part of it", async () => {
  const record = await newLabeler({ bucket: "gone-bucket" });
  await forgetLabeler(server.redis, record);
  expect(await isPaused(server.redis, record.id)).toBe(true);
  await pause(server.redis, record.id);
  await activate(server.redis, record.id);
  expect(await countMissed(server.redis, record.id, 1)).toBe(true);
  expect(await stateOf(record.id)).toBeUndefined();
  expect(await labelersOfBucket(server.redis, "gone-bucket")).toEqual([]);
  expect(await server.redis.keys(`*${record.id}*`)).toEqual([]);
});
