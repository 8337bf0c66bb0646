import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { BatchId, ClassificationId, MessageId } from "../../shared/contracts/ids.ts";
import {
  batchItemId,
  batchItemOf,
  labelledObjectId,
  messageId,
  newId,
  timeOfId,
} from "../../shared/new-id.ts";

const isValid = (schema: typeof ClassificationId, id: string) => schema.safeParse(id).success;

test("an id has its prefix, is valid, and no two are alike", () => {
  const ids = Array.from({ length: 1_000 }, () => newId("cls"));
  expect(ids.every((id) => isValid(ClassificationId, id))).toBe(true);
  expect(new Set(ids).size).toBe(1_000);
  expect(isValid(BatchId, newId("bat"))).toBe(true);
  expect(isValid(BatchId, newId("cls"))).toBe(false);
});

test("ids sort by the time they were made, which can be read from them", async () => {
  const before = Date.now();
  const first = newId("cls");
  await new Promise((resolve) => setTimeout(resolve, 5));
  const second = newId("cls");
  expect([second, first].toSorted()).toEqual([first, second]);
  expect(timeOfId(first).getTime()).toBeGreaterThanOrEqual(before);
  expect(timeOfId(second).getTime()).toBeLessThanOrEqual(Date.now());
});

describe("the id of a batch's item", () => {
  test("is derived from the batch and the position, and gives them back", () => {
    const batchId = newId("bat");
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 36 ** 6 - 1 }), (index) => {
        const id = batchItemId(batchId, index);
        expect(id).toBe(batchItemId(batchId, index));
        expect(isValid(ClassificationId, id)).toBe(true);
        expect(batchItemOf(id)).toEqual({ batchId, index });
        expect(timeOfId(id)).toEqual(timeOfId(batchId));
      }),
    );
  });

  test("sorts by the position", () => {
    const ids = Array.from({ length: 2_000 }, (_, index) =>
      batchItemId("bat_01kapz6s8r3v5m2n7q9w4x6y8z", index),
    );
    expect(ids.toSorted()).toEqual(ids);
    expect(new Set(ids).size).toBe(2_000);
  });

  test("cannot be taken for that of a classification that stands alone", () => {
    expect(batchItemOf(newId("cls"))).toBeUndefined();
  });
});

describe("the id of an object that an event told a labeler of", () => {
  const labeler = "lbl_01kapz6s8r3v5m2n7q9w4x6y8z";
  const time = new Date("2026-11-22T12:00:00.750Z");

  test("is the same whenever it is derived, in every version of Tresline, and is valid", async () => {
    const id = await labelledObjectId(labeler, ["photos", "a.jpg", "etag"], time);
    expect(id).toBe("cls_01m81j18g0per2y0xqn4vft231");
    expect(isValid(ClassificationId, id)).toBe(true);
    expect(batchItemOf(id)).toBeUndefined();
    expect(timeOfId(id)).toEqual(new Date("2026-11-22T12:00:00.000Z"));
  });

  test("is another for each labeler, object and version", async () => {
    const versions = [["a", "b"], ["ab"], ["a,b"], ["a", "b", ""], ["b", "a"]];
    const ids = await Promise.all([
      ...versions.map((version) => labelledObjectId(labeler, version, time)),
      labelledObjectId("lbl_01kapz6s8r3v5m2n7q9w4x6y8y", ["a", "b"], time),
    ]);
    expect(new Set(ids).size).toBe(ids.length);
  });
});

const of = (subject: string, event = "batch.completed", endpoint = "https://a.example/") =>
  messageId(subject, event, endpoint);

describe("the id of a message", () => {
  test("is the same whenever it is derived, in every version of Tresline, and is valid", async () => {
    const id = await of("bat_01kapz6s8r3v5m2n7q9w4x6y8z");
    expect(id).toBe("msg_7btfc8csdl2ipt1ndk06lnp3er");
    expect(isValid(MessageId, id)).toBe(true);
  });

  test("differs with the subject, the event and the endpoint", async () => {
    const ids = await Promise.all([
      of("bat_1"),
      of("bat_2"),
      of("bat_1", "batch.failed"),
      of("bat_1", "batch.completed", "https://b.example/"),
    ]);
    expect(new Set(ids).size).toBe(4);
  });

  test("is valid for any subject and endpoint", async () => {
    await fc.assert(
      fc.asyncProperty(fc.string(), fc.string(), async (subject, endpoint) => {
        expect(isValid(MessageId, await of(subject, "batch.failed", endpoint))).toBe(true);
      }),
    );
  });
});
