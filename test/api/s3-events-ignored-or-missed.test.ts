import { afterAll, beforeAll, expect, test } from "vitest";
import { parseEvents } from "../../api/events/parse-delivery.ts";
import { acceptS3Events } from "../../api/services/accept-s3-event.ts";
import type { BucketEventCounts } from "../../shared/contracts/bucket-event.ts";
import { activate, forgetLabeler, pause } from "../../shared/state/labelers.ts";
import { newTraceparent } from "../../shared/traceparent.ts";
import { s3Notification } from "./support/bucket-events.ts";
import { TOKEN, s3EventCalls } from "./support/s3-event-calls.ts";
import { startTestApi } from "./support/test-api.ts";
import type { TestApi } from "./support/test-api.ts";

let api: TestApi;
beforeAll(async () => {
  api = await startTestApi({ S3_EVENTS_TOKEN: TOKEN });
});
afterAll(() => api.close());

const { countsOf, newLabeler, keysOf, eventCountsOf } = s3EventCalls(() => api);

test.each([
  { of: "labels beside an image", key: "in/a.jpg.tresline.json" },
  { of: "a file in Tresline's folder", key: ".tresline/0123.json" },
  { of: "a file in such a folder below", key: "in/.tresline/0123.json" },
  { of: "a folder", key: "in/", size: 0 },
  {
    of: "tags that MinIO calls a creation",
    key: "a.jpg",
    eventName: "s3:ObjectCreated:PutTagging",
    source: "minio:s3",
  },
  { of: "tags", key: "a.jpg", eventName: "ObjectTagging:Put" },
  { of: "a deletion", key: "a.jpg", eventName: "ObjectRemoved:Delete" },
])("$of triggers nothing", async ({ key, size = 1_000, of: _of, ...how }) => {
  const labeler = await newLabeler();
  const event = s3Notification({ key, size }, { ...labeler, ...how });
  expect(await countsOf(event)).toEqual({ accepted: 0, missed: 0, ignored: 1 });
  expect(await keysOf(labeler)).toEqual([]);
});

test("what Tresline stores of its own in a labeler's bucket triggers nothing", async () => {
  const labeler = await newLabeler();
  const { bucket } = labeler;
  const config = { ...api.deps.config, STORAGE_URL: `s3://${bucket}/tresline` };
  const Records = ["tresline/results/a.json", "tresline-photos/a.jpg"].flatMap(
    (key) => s3Notification({ key }, { bucket }).Records,
  );
  const counts = await acceptS3Events(
    { ...api.deps, config },
    parseEvents(JSON.stringify({ Records })),
    newTraceparent(),
  );
  expect(counts).toEqual({ accepted: 1, missed: 0, ignored: 1 });
  expect(await keysOf(labeler)).toEqual(["tresline-photos/a.jpg"]);
});

test("the same event told many times, and at once, is queued once; another version is another job", async () => {
  const labeler = await newLabeler();
  const event = s3Notification({ key: "a.jpg", eTag: "1", sequencer: "0A" }, labeler);
  await Promise.all(Array.from({ length: 20 }, () => countsOf(event)));
  expect(await keysOf(labeler)).toEqual(["a.jpg"]);
  await countsOf(s3Notification({ key: "a.jpg", eTag: "2", sequencer: "0B" }, labeler));
  await countsOf(s3Notification({ key: "a.jpg", eTag: "2", sequencer: "0C" }, labeler));
  await countsOf(s3Notification({ key: "a.jpg", eTag: "2", sequencer: "0C", versionId: "v" }, labeler));
  expect(await keysOf(labeler)).toHaveLength(4);
});

test("an event that a newer one has overtaken is ignored", async () => {
  const labeler = await newLabeler();
  const event = (sequencer: string) => s3Notification({ key: "a.jpg", sequencer }, labeler);
  expect(await countsOf(event("0B"))).toMatchObject({ accepted: 1 });
  expect(await countsOf(event("0A"))).toEqual({ accepted: 0, missed: 0, ignored: 1 });
  expect(await countsOf(event("0C"))).toMatchObject({ accepted: 1 });
});

test("a paused labeler misses what it is told of, and others do not", async () => {
  const paused = await newLabeler();
  await pause(api.redis.redis, paused.id);
  const event = (key: string) => s3Notification({ key }, paused);
  expect(await countsOf(event("a.jpg"))).toEqual({ accepted: 0, missed: 1, ignored: 0 });
  const other = await newLabeler({ bucket: paused.bucket });
  expect(await countsOf(event("b.jpg"))).toEqual({ accepted: 1, missed: 0, ignored: 0 });
  expect(await keysOf(paused)).toEqual([]);
  expect(await keysOf(other)).toEqual(["b.jpg"]);
  expect(await eventCountsOf(paused)).toMatchObject({ missed: 2 });
  await activate(api.redis.redis, paused.id);
  expect(await countsOf(event("c.jpg"))).toMatchObject({ accepted: 1 });
});

test("whenever a labeler is paused and resumed, each object is either queued or counted as missed", async () => {
  const labeler = await newLabeler();
  const over = new AbortController();
  const flip = async () => {
    while (!over.signal.aborted) {
      await pause(api.redis.redis, labeler.id);
      await activate(api.redis.redis, labeler.id);
    }
  };
  const flipping = flip();
  const told: BucketEventCounts[] = [];
  const missed = async () => (await eventCountsOf(labeler))?.missed ?? NaN;
  const isSplit = async () => (await missed()) > 0 && (await missed()) < told.length;
  while (told.length < 100 || !(await isSplit())) {
    const keys = Array.from({ length: 20 }, (_, i) => `${told.length + i}.jpg`);
    told.push(...(await Promise.all(keys.map((key) => countsOf(s3Notification({ key }, labeler))))));
  }
  over.abort();
  await flipping;
  expect((await keysOf(labeler)).length + (await missed())).toBe(told.length);
  expect(told.filter((counts) => counts.accepted + counts.missed === 1)).toHaveLength(told.length);
});

test("what is for a labeler that was deleted is ignored", async () => {
  const labeler = await newLabeler();
  await forgetLabeler(api.redis.redis, labeler);
  expect(await countsOf(s3Notification({ key: "a.jpg" }, labeler))).toMatchObject({ ignored: 1 });
});
