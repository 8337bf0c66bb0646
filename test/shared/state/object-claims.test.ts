import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { newId } from "../../../shared/new-id.ts";
import { getLabelerState, putLabeler } from "../../../shared/state/labelers.ts";
import { claimObject, releaseAndCount, releaseObject } from "../../../shared/state/object-claims.ts";
import type { ObjectClaim } from "../../../shared/state/object-claims.ts";
import { labelerRecord } from "../../support/labeler-record.ts";
import { startTestRedis } from "../../support/redis.ts";
import type { TestRedis } from "../../support/redis.ts";

let server: TestRedis;
let mine: ObjectClaim;
let anothers: ObjectClaim;
beforeAll(async () => {
  server = await startTestRedis();
});
afterAll(() => server.stop());
beforeEach(async () => {
  const record = labelerRecord();
  await putLabeler(server.redis, record);
  mine = { labelerId: record.id, object: "ab", id: newId("cls") };
  anothers = { ...mine, id: newId("cls") };
});

const counts = async () =>
  (await getLabelerState(server.redis, "default", mine.labelerId))?.labeler.event_counts;
const claim = (each: ObjectClaim, isRepeated = false) => claimObject(server.redis, each, { isRepeated });

test("an object is one job's at a time, however often that job claims it", async () => {
  expect(await claim(mine)).toBe("ours");
  expect(await claim(anothers)).toBe("taken");
  expect(await claim(mine)).toBe("ours");
  await releaseObject(server.redis, anothers);
  expect(await claim(anothers)).toBe("taken");
  await releaseObject(server.redis, mine);
  expect(await claim(anothers)).toBe("ours");
});

test("of many that claim an object at once one gets it", async () => {
  const claims = Array.from({ length: 20 }, () => ({ ...mine, id: newId("cls") }));
  const answers = await Promise.all(claims.map((each) => claim(each)));
  expect(answers.filter((answer) => answer === "ours")).toHaveLength(1);
});

test("objects and labelers do not stand in each other's way", async () => {
  await claim(mine);
  expect(await claim({ ...anothers, object: "cd" })).toBe("ours");
  expect(await claim({ ...anothers, labelerId: newId("lbl") })).toBe("ours");
});

test("a claim does not outlive its holder for ever", async () => {
  await claim(mine);
  const [key = ""] = await server.redis.keys(`*${mine.labelerId}:ab`);
  const left = await server.redis.pttl(key);
  expect(left).toBeGreaterThan(60_000);
  expect(left).toBeLessThanOrEqual(300_000);
});

test("the end of a job is counted once, and its next try is told that it has ended; others may go on", async () => {
  await claim(mine);
  for (const _ of [1, 2]) await releaseAndCount(server.redis, mine, "labelled");
  expect(await claim(mine, true)).toBe("ended");
  expect(await counts()).toMatchObject({ labelled: 1 });
  expect(await claim(anothers, true)).toBe("ours");
  await releaseAndCount(server.redis, anothers, "skipped");
  expect(await counts()).toMatchObject({ labelled: 1, skipped: 1 });
});

test("a job that is made anew after its end has its turn again", async () => {
  await claim(mine);
  await releaseAndCount(server.redis, mine, "labelled");
  expect(await claim(mine)).toBe("ours");
  expect(await claim(anothers)).toBe("taken");
});

test("a labeler that is deleted is not brought back by a count", async () => {
  const orphan = { ...mine, labelerId: newId("lbl") };
  await claim(orphan);
  await releaseAndCount(server.redis, orphan, "failed");
  expect(await getLabelerState(server.redis, "default", orphan.labelerId)).toBeUndefined();
});
