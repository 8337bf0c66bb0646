import { afterAll, beforeAll, expect, test } from "vitest";
import { parseEvents } from "../../api/events/parse-delivery.ts";
import { acceptS3Events } from "../../api/services/accept-s3-event.ts";
import type { BucketEventCounts } from "../../shared/contracts/bucket-event.ts";
import type { Problem } from "../../shared/contracts/error.ts";
import type { LabelerRecord } from "../../shared/contracts/labeler.ts";
import { ClassifyObjectPayload } from "../../shared/contracts/queue-payloads.ts";
import type { NewJob } from "../../shared/queue.ts";
import { queueNames } from "../../shared/queue.ts";
import { activate, forgetLabeler, getLabelerState, pause, putLabeler } from "../../shared/state/labelers.ts";
import { newTraceparent } from "../../shared/traceparent.ts";
import { labelerRecord } from "../support/labeler-record.ts";
import { readQueue } from "../support/queue-reader.ts";
import { readBucketEvent, s3Notification } from "./support/bucket-events.ts";
import { startTestApi } from "./support/test-api.ts";
import type { TestApi } from "./support/test-api.ts";

const EVENTS = "/v1/events/s3";
const TOKEN = "events-token-0123456789";
const JSON_TYPE = { "content-type": "application/json" };

let api: TestApi;
let made = 0;
beforeAll(async () => {
  api = await startTestApi({ S3_EVENTS_TOKEN: TOKEN });
});
afterAll(() => api.close());

const tell = (body: unknown, headers: Record<string, string> = { authorization: `Bearer ${TOKEN}` }) =>
  api.request(EVENTS, {
    method: "POST",
    headers: { ...JSON_TYPE, ...headers },
    body: typeof body === "string" ? body : JSON.stringify(body),
  });

async function countsOf(body: unknown): Promise<BucketEventCounts> {
  const response = await tell(body);
  expect(response.status).toBe(200);
  return (await response.json()) as BucketEventCounts;
}

/** A labeler of a bucket and with a model of its own, so that nothing else is queued there. */
async function newLabeler(more: Partial<LabelerRecord> = {}): Promise<LabelerRecord> {
  made++;
  const record = labelerRecord({ bucket: `bucket-${made}`, model: `model-${made}`, ...more });
  expect(await putLabeler(api.redis.redis, record)).toBe(true);
  return record;
}

async function jobsOf({ model }: LabelerRecord): Promise<NewJob<ClassifyObjectPayload>[]> {
  const jobs = await readQueue(api.redis.redis, queueNames.objects(model));
  return jobs.map(({ id, payload }) => ({ id, payload: ClassifyObjectPayload.parse(payload) }));
}
const keysOf = async (labeler: LabelerRecord) => (await jobsOf(labeler)).map(({ payload }) => payload.key);
const eventCountsOf = async ({ id, tenant }: LabelerRecord) =>
  (await getLabelerState(api.redis.redis, tenant, id))?.labeler.event_counts;

test("a new object is queued with what its labeler is made of, whosever that is, in the trace of the event", async () => {
  const labeler = await newLabeler({ tenant: "other", top_k: 3, threshold: 0.5, write_back: "tags" });
  const event = s3Notification({ key: "in/new+cat.jpg", eTag: "9b2c", sequencer: "0A" }, labeler);
  const traceparent = newTraceparent();
  const response = await tell(event, { authorization: `Bearer ${TOKEN}`, traceparent });
  expect(await response.json()).toEqual({ accepted: 1, missed: 0, ignored: 0 });
  const [job] = await jobsOf(labeler);
  expect(job?.payload).toEqual({
    traceparent,
    id: job?.id,
    tenant: "other",
    model: labeler.model,
    top_k: 3,
    threshold: 0.5,
    labeler: { id: labeler.id, write_back: "tags", on_error: "report", mode: "live" },
    bucket: labeler.bucket,
    key: "in/new cat.jpg",
  });
});

test.each([
  ["aws-put", "in/new photo+é 100%.jpg"],
  ["minio-put", "in/new photo+é 100%.jpg"],
  ["ceph-put", "in/new photo+é 100%.jpg"],
  ["eventbridge-object-created", "in/new photo+é 100%.jpg"],
  ["r2-put", "in/new photo+é 100%.jpg"],
] as const)("what %s tells of is queued under the key it has in its bucket", async (name, key) => {
  const labeler = await newLabeler();
  const body = readBucketEvent(name).replaceAll('"photos"', JSON.stringify(labeler.bucket));
  expect(await countsOf(body)).toMatchObject({ accepted: 1 });
  expect(await keysOf(labeler)).toEqual([key]);
});

test("SNS says that its JSON is text, and is understood all the same", async () => {
  const labeler = await newLabeler();
  const message = JSON.parse(readBucketEvent("sns-notification")) as object;
  const Message = JSON.stringify(s3Notification({ key: "a.jpg" }, labeler));
  const response = await tell(JSON.stringify({ ...message, Message }), {
    authorization: `Bearer ${TOKEN}`,
    "content-type": "text/plain; charset=UTF-8",
    "x-amz-sns-message-type": "Notification",
  });
  expect(await response.json()).toMatchObject({ accepted: 1 });
  expect(await keysOf(labeler)).toEqual(["a.jpg"]);
});

const sqsMessage = (messageId: string, text: string) => ({ messageId, body: text, eventSource: "aws:sqs" });

test("of an SQS batch the messages that are no events are told by their ids, and the others queued", async () => {
  const labeler = await newLabeler();
  const event = (key: string) => JSON.stringify(s3Notification({ key }, labeler));
  const Records = [
    sqsMessage("1", event("a.jpg")),
    sqsMessage("2", "hello"),
    sqsMessage("3", event("b.jpg")),
  ];
  const response = await tell({ Records });
  expect(response.status).toBe(200);
  expect(await response.json()).toEqual({ batchItemFailures: [{ itemIdentifier: "2" }] });
  expect((await keysOf(labeler)).toSorted()).toEqual(["a.jpg", "b.jpg"]);
  expect(api.logLines.some((line) => line.includes('"message":"2"'))).toBe(true);
});

test("a test event is acknowledged and does nothing", async () => {
  expect(await countsOf(readBucketEvent("aws-test-event"))).toEqual({ accepted: 0, missed: 0, ignored: 0 });
});

test("each object goes to all labelers of its bucket whose prefix and suffixes it has, and to no other", async () => {
  const all = await newLabeler();
  const { bucket } = all;
  const jpg = await newLabeler({ bucket, prefix: "in/", suffixes: [".jpg", ".jpeg"] });
  const elsewhere = await newLabeler();
  const Records = ["in/a.jpg", "in/b.png", "out/c.jpg", "in/d.jpeg"].flatMap(
    (key) => s3Notification({ key }, { bucket }).Records,
  );
  Records.push(...s3Notification({ key: "e.jpg" }, { bucket: "nobodys" }).Records);
  expect(await countsOf({ Records })).toEqual({ accepted: 4, missed: 0, ignored: 1 });
  expect(await keysOf(all)).toHaveLength(4);
  expect((await keysOf(jpg)).toSorted()).toEqual(["in/a.jpg", "in/d.jpeg"]);
  expect(await keysOf(elsewhere)).toEqual([]);
});

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

test("while too much waits, events are refused for now, so that whoever tells of them keeps them", async () => {
  const labeler = await newLabeler();
  const waiting = `{tresline}:${queueNames.objects(labeler.model)}:wait`;
  const ids = Array.from({ length: 100_000 }, (_, i) => `job-${i}`);
  while (ids.length > 0) await api.redis.redis.rpush(waiting, ...ids.splice(0, 10_000));
  const response = await tell(s3Notification({ key: "a.jpg", sequencer: "0A" }, labeler));
  expect(response.status).toBe(503);
  expect(((await response.json()) as Problem).detail).toMatch(
    /has 100000 objects waiting already.* again later/,
  );
  await api.redis.redis.del(waiting);
  expect(await countsOf(s3Notification({ key: "a.jpg", sequencer: "0A" }, labeler))).toMatchObject({
    accepted: 1,
  });
});

test.each(["{", "[]", '{"Records":1}', '{"Event":"s3:Nothing"}'])(
  "the body %s is refused as what it is",
  async (body) => {
    const response = await tell(body);
    const problem = (await response.json()) as Problem;
    expect(problem).toMatchObject({ status: 400, code: "invalid_request" });
    expect(problem.detail).toMatch(/JSON|expected/);
  },
);

test("a body that is too large is refused before it is read", async () => {
  const response = await tell(JSON.stringify({ Records: [], filler: "x".repeat(6_000_000) }));
  expect(((await response.json()) as Problem).detail).toMatch(/more than 6000000 bytes/);
});

test("a subscription of an address that is not SNS's is refused, and nothing is visited", async () => {
  const message = JSON.parse(readBucketEvent("sns-subscription-confirmation")) as object;
  const response = await tell({
    ...message,
    SubscribeURL: "https://sns.evil.example/?Action=ConfirmSubscription",
  });
  expect(response.status).toBe(400);
  expect(((await response.json()) as Problem).detail).toMatch(/SubscribeURL is not visited/);
});

test("with Redis away an event is refused for now", async () => {
  const labeler = await newLabeler();
  await api.redis.stop();
  const response = await tell(s3Notification({ key: "a.jpg" }, labeler));
  expect(response.status).toBe(503);
  expect(response.headers.get("retry-after")).not.toBeNull();
});
