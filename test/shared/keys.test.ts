import { expect, test } from "vitest";
import { REDIS_PREFIX, isOwnKey, redisKeys, storageKeys } from "../../shared/keys.ts";
import { newId } from "../../shared/new-id.ts";

test("a result is filed by tenant and by the day, in UTC, on which its classification was created", () => {
  // The first ten letters are 2026-11-22T23:59:59.999Z.
  const id = "cls_01m82v7kzz0000000000000000";
  expect(storageKeys.result("acme", id)).toBe(`results/acme/2026/11/22/${id}.json`);
});

test("the parts of a batch sort by the number of their chunk", () => {
  const parts = [0, 2, 10, 157, 12_345].map((chunk) => storageKeys.batchPart("bat_1", chunk));
  expect(parts.toSorted()).toEqual(parts);
  expect(parts[0]).toBe("batches/bat_1/parts/00000000.jsonl");
});

test("all Redis keys lie on one node of a cluster, and no two are alike", () => {
  const id = newId("bat");
  const makers: ((...parts: string[]) => string)[] = Object.values(redisKeys);
  const keys = makers.map((key) => key(id, id));
  expect(new Set(keys).size).toBe(keys.length);
  expect(keys.every((key) => key.startsWith(`${REDIS_PREFIX}:`))).toBe(true);
  expect(REDIS_PREFIX).toMatch(/^\{[^{}]+\}$/);
});

test("what Tresline wrote into a bucket is told from what lies there", () => {
  const own = ["cat.jpg.tresline.json", ".tresline/health", "2026/.tresline/index.json"];
  const others = ["cat.jpg", "cat.json", "my.tresline/cat.jpg", "tresline.json", ".tresline"];
  expect([...own, ...others].filter((key) => isOwnKey(key))).toEqual(own);
});
