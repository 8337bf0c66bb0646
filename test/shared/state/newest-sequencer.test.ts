import * as fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { newId } from "../../../shared/new-id.ts";
import { noteSequencer } from "../../../shared/state/newest-sequencer.ts";
import { startTestRedis } from "../../support/redis.ts";
import type { TestRedis } from "../../support/redis.ts";

let server: TestRedis;
beforeAll(async () => {
  server = await startTestRedis();
});
afterAll(() => server.stop());

/** What a new object's events are answered, in this order. */
async function answers(...sequencers: string[]): Promise<boolean[]> {
  const object = { bucket: "photos", key: newId("req") };
  const told: boolean[] = [];
  for (const sequencer of sequencers) told.push(await noteSequencer(server.redis, object, sequencer));
  return told;
}

test("what is older than what was seen is outdated; the same event told again is not", async () => {
  expect(await answers("0A", "0B", "0B", "0A", "0C", "0B")).toEqual([true, true, true, false, true, false]);
});

test("of two sequencers the shorter is filled up with zeros on the right", async () => {
  expect(await answers("0A1", "0A10", "0A0F", "0A1001", "0A1")).toEqual([true, true, false, true, false]);
  expect(await answers("9", "10"), "not compared as numbers").toEqual([true, false]);
});

test("in whatever order events come, the newest is never outdated and nothing is after it but itself", async () => {
  const digits = fc.stringMatching(/^[0-9A-F]{1,6}$/);
  await fc.assert(
    fc.asyncProperty(fc.array(digits, { minLength: 1, maxLength: 8 }), async (sequencers) => {
      const filled = sequencers.map((each) => each.padEnd(6, "0"));
      const isNewest = filled.map((each, i) => filled.slice(0, i).every((before) => before <= each));
      expect(await answers(...sequencers)).toEqual(isNewest);
    }),
    { numRuns: 50 },
  );
});

test("each object has its own, however long its key, and is forgotten after an hour", async () => {
  const long = { bucket: "photos", key: "a".repeat(1_024) };
  expect(await noteSequencer(server.redis, long, "0B")).toBe(true);
  expect(await noteSequencer(server.redis, { ...long, bucket: "other" }, "0A")).toBe(true);
  const [key = ""] = await server.redis.keys("*:sequencer:*");
  expect(key.length).toBeLessThan(100);
  const ttl = await server.redis.ttl(key);
  expect(ttl).toBeGreaterThan(3_500);
  expect(ttl).toBeLessThanOrEqual(3_600);
});
