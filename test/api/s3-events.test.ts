import { afterAll, beforeAll, expect, test } from "vitest";
import type { Problem } from "../../shared/contracts/error.ts";
import { queueNames } from "../../shared/queue.ts";
import { newTraceparent } from "../../shared/traceparent.ts";
import { readBucketEvent, s3Notification } from "./support/bucket-events.ts";
import { TOKEN, s3EventCalls } from "./support/s3-event-calls.ts";
import { startTestApi } from "./support/test-api.ts";
import type { TestApi } from "./support/test-api.ts";

let api: TestApi;
beforeAll(async () => {
  api = await startTestApi({ S3_EVENTS_TOKEN: TOKEN });
});
afterAll(() => api.close());

const { tell, countsOf, newLabeler, jobsOf, keysOf } = s3EventCalls(() => api);

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
