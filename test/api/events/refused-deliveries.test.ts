import * as fc from "fast-check";
import { expect, test } from "vitest";
import { isCreation } from "../../../api/events/bucket-event.ts";
import { parseDelivery } from "../../../api/events/parse-delivery.ts";
import { AppError } from "../../../shared/errors.ts";
import { BUCKET_EVENTS, readBucketEvent, s3Notification } from "../support/bucket-events.ts";

/** A fixture with one value replaced, by the path to it; undefined removes it. */
function changed(name: (typeof BUCKET_EVENTS)[number], path: string, value: unknown): string {
  const body = JSON.parse(readBucketEvent(name)) as object;
  const parts = path.split("/");
  const last = parts.pop() ?? "";
  const holder = parts.reduce((at, part) => (at as Record<string, object>)[part] ?? {}, body);
  Object.assign(holder, { [last]: value });
  return JSON.stringify(body);
}

const RECORD = "Records/0";
const OBJECT = "Records/0/s3/object";
const REFUSED: [of: string, text: string, detail: RegExp][] = [
  ["an empty body", "", /The body is not valid JSON/],
  ["half a body", readBucketEvent("aws-put").slice(0, 200), /not valid JSON/],
  ["XML", "<NotificationConfiguration/>", /not valid JSON/],
  ["a form", "token=secret&Records=1", /not valid JSON/],
  ["null", "null", /is not a bucket event: expected/],
  ["a number", "7", /is not a bucket event: expected/],
  ["a text", '"s3:TestEvent"', /is not a bucket event/],
  ["a list of events", JSON.stringify([s3Notification({ key: "a" })]), /is not a bucket event/],
  ["an empty object", "{}", /expected \{"Records"/],
  ["another service's test event", '{"Event":"sns:TestEvent"}', /is not a bucket event/],
  ["a batch request", '{"prefix":{"bucket":"photos","prefix":""}}', /is not a bucket event/],
  [
    "a Google notification",
    '{"kind":"storage#object","name":"a.jpg","bucket":"photos"}',
    /is not a bucket event/,
  ],
  ["an Azure event", '[{"eventType":"Microsoft.Storage.BlobCreated"}]', /is not a bucket event/],
  ["records that are none", changed("aws-put", "Records", "many"), /\/Records: .*expected array/],
  ["records that are null", changed("aws-put", "Records", null), /\/Records: .*expected array/],
  ["a record that is a text", changed("aws-put", RECORD, "ObjectCreated:Put"), /\/Records\/0/],
  ["a record that is null", changed("aws-put", RECORD, null), /\/Records\/0/],
  [
    "a record of an SNS message in Lambda",
    changed("aws-put", RECORD, { EventSource: "aws:sns", Sns: {} }),
    /eventSource/,
  ],
  [
    "the event version 1",
    changed("aws-put", `${RECORD}/eventVersion`, "1.0"),
    /eventVersion: must be of the major version 2/,
  ],
  ["the event version 3", changed("aws-put", `${RECORD}/eventVersion`, "3.0"), /major version 2/],
  ["a version that is a number", changed("aws-put", `${RECORD}/eventVersion`, 2.1), /eventVersion/],
  ["no version", changed("aws-put", `${RECORD}/eventVersion`, undefined), /eventVersion: is missing/],
  [
    "another service's event",
    changed("aws-put", `${RECORD}/eventSource`, "aws:dynamodb"),
    /"aws:s3"\|"minio:s3"\|"ceph:s3"/,
  ],
  ["no source", changed("aws-put", `${RECORD}/eventSource`, undefined), /eventSource/],
  ["no name of the event", changed("aws-put", `${RECORD}/eventName`, undefined), /eventName: is missing/],
  ["a name that is a list", changed("aws-put", `${RECORD}/eventName`, ["ObjectCreated:Put"]), /eventName/],
  ["no time", changed("aws-put", `${RECORD}/eventTime`, undefined), /eventTime: is missing/],
  ["a time that is a number", changed("aws-put", `${RECORD}/eventTime`, 1_795_348_800), /eventTime/],
  ["a time that is none", changed("aws-put", `${RECORD}/eventTime`, "yesterday"), /eventTime/],
  ["a day that is none", changed("aws-put", `${RECORD}/eventTime`, "2026-02-30T12:00:00Z"), /eventTime/],
  ["no s3", changed("aws-put", `${RECORD}/s3`, undefined), /\/Records\/0\/s3: is missing/],
  ["no bucket", changed("aws-put", `${RECORD}/s3/bucket`, undefined), /s3\/bucket: is missing/],
  [
    "a bucket that is a path",
    changed("aws-put", `${RECORD}/s3/bucket/name`, "../photos"),
    /must be the name of a bucket/,
  ],
  ["no object", changed("aws-put", OBJECT, undefined), /s3\/object: is missing/],
  ["no key", changed("aws-put", `${OBJECT}/key`, undefined), /object\/key: is missing/],
  ["a key that is a number", changed("aws-put", `${OBJECT}/key`, 7), /object\/key/],
  ["an empty key", changed("aws-put", `${OBJECT}/key`, ""), /"" cannot be the key of an object/],
  ["a key of half an escape", changed("aws-put", `${OBJECT}/key`, "a%2"), /The key "a%2" is not URL-encoded/],
  ["a key of half a character", changed("aws-put", `${OBJECT}/key`, "a%C3"), /is not URL-encoded/],
  [
    "MinIO's key that is not encoded",
    changed("minio-put", `${OBJECT}/key`, "100%.jpg"),
    /is not URL-encoded/,
  ],
  ["a key that is too long", changed("aws-put", `${OBJECT}/key`, "%C3%A9".repeat(513)), /of 1 to 1024 bytes/],
  [
    "a key of Ceph that is too long",
    changed("ceph-put", `${OBJECT}/key`, "é".repeat(513)),
    /of 1 to 1024 bytes/,
  ],
  ["a key with half a surrogate pair", changed("ceph-put", `${OBJECT}/key`, "\ud83e.jpg"), /must be Unicode/],
  ["a size below zero", changed("aws-put", `${OBJECT}/size`, -1), /object\/size/],
  ["a size with a fraction", changed("aws-put", `${OBJECT}/size`, 1.5), /object\/size/],
  ["a size in words", changed("ceph-put", `${OBJECT}/size`, "large"), /object\/size/],
  ["an ETag that is a number", changed("aws-put", `${OBJECT}/eTag`, 7), /object\/eTag/],
  ["an ETag of 2000 characters", changed("aws-put", `${OBJECT}/eTag`, "e".repeat(2_000)), /object\/eTag/],
  ["a version that is an object", changed("aws-put", `${OBJECT}/versionId`, {}), /object\/versionId/],
  [
    "a sequencer that is not hexadecimal",
    changed("aws-put", `${OBJECT}/sequencer`, "later"),
    /sequencer: must be hexadecimal digits/,
  ],
  ["a sequencer of 65 digits", changed("aws-put", `${OBJECT}/sequencer`, "0".repeat(65)), /sequencer/],
  [
    "SQS without a message's id",
    changed("sqs-batch", "Records/1/messageId", undefined),
    /messageId: is missing/,
  ],
  ["SQS without a body", changed("sqs-batch", "Records/1/body", undefined), /body: is missing/],
  ["a body of SQS that is an object", changed("sqs-batch", "Records/0/body", {}), /\/Records\/0\/body/],
  ["SQS mixed with S3", changed("sqs-batch", "Records/1/eventSource", "aws:s3"), /eventSource/],
  ["SNS of a type of no such name", changed("sns-notification", "Type", "Alarm"), /Type/],
  ["SNS without a message", changed("sns-notification", "Message", undefined), /\/Message: is missing/],
  ["a message of SNS that is an object", changed("sns-notification", "Message", {}), /\/Message/],
  [
    "a message of SNS that is no JSON",
    changed("sns-notification", "Message", "hello"),
    /The Message of the SNS notification is not valid JSON/,
  ],
  [
    "a message of SNS that is no event",
    changed("sns-notification", "Message", "{}"),
    /is not a bucket event/,
  ],
  [
    "SNS within SNS",
    changed("sns-notification", "Message", readBucketEvent("sns-notification")),
    /is not a bucket event/,
  ],
  [
    "a subscription without an address",
    changed("sns-subscription-confirmation", "SubscribeURL", undefined),
    /SubscribeURL/,
  ],
  [
    "a subscription with half an address",
    changed("sns-subscription-confirmation", "SubscribeURL", "sns"),
    /must be a URL/,
  ],
  ["EventBridge of another service", changed("eventbridge-object-created", "source", "aws.ec2"), /source/],
  [
    "EventBridge without detail",
    changed("eventbridge-object-created", "detail", undefined),
    /\/detail: is missing/,
  ],
  [
    "EventBridge without an object",
    changed("eventbridge-object-created", "detail/object", {}),
    /detail\/object\/key: is missing/,
  ],
  [
    "EventBridge without a time",
    changed("eventbridge-object-created", "time", undefined),
    /\/time: is missing/,
  ],
  ["R2 without an object", changed("r2-put", "object", undefined), /\/object: is missing/],
  ["R2 with a bucket as S3 has it", changed("r2-put", "bucket", { name: "photos" }), /\/bucket/],
  ["R2 without a time", changed("r2-put", "eventTime", undefined), /\/eventTime: is missing/],
];

test("there are many ways to be malformed", () => {
  expect(REFUSED.length).toBeGreaterThanOrEqual(50);
});

test.each(REFUSED)("%s is refused with what is wrong", (_of, text, detail) => {
  expect(() => parseDelivery(text)).toThrow(
    expect.toSatisfy(
      (error) => error instanceof AppError && error.code === "invalid_request" && detail.test(error.message),
    ) as Error,
  );
});

/** Every place in a JSON value, as the keys that lead there. */
function placesIn(value: unknown, path: string[] = []): string[][] {
  if (typeof value !== "object" || value === null) return [path];
  return [path, ...Object.entries(value).flatMap(([key, each]) => placesIn(each, [...path, key]))];
}

function replaced(value: unknown, [key, ...rest]: string[], by: unknown): unknown {
  if (key === undefined) return by;
  const copy = Array.isArray(value) ? [...(value as unknown[])] : { ...(value as object) };
  return Object.assign(copy, { [key]: replaced((value as Record<string, unknown>)[key], rest, by) });
}

const mutation = fc.constantFrom(...BUCKET_EVENTS).chain((name) => {
  const body: unknown = JSON.parse(readBucketEvent(name));
  return fc
    .tuple(fc.constantFrom(...placesIn(body)), fc.oneof(fc.jsonValue(), fc.constant(undefined)))
    .map(([path, by]) => JSON.stringify(replaced(body, path, by)) ?? "");
});

/** Whether what was posted is read as events that are whole, or refused. What else is thrown is let through. */
function isReadOrRefused(text: string): boolean {
  try {
    const delivery = parseDelivery(text);
    if (delivery.kind !== "events") return true;
    return delivery.events.every(({ key, eventName, eventTime }) => {
      const isWhole = !isCreation({ eventName }) || (key !== "" && key.isWellFormed());
      return isWhole && !Number.isNaN(Date.parse(eventTime));
    });
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    return error.code === "invalid_request" && error.message.length < 5_000;
  }
}

test("whatever becomes of one place in an event, it is read or refused, and nothing else happens", () => {
  expect(fc.sample(mutation, 3_000).filter((text) => !isReadOrRefused(text))).toEqual([]);
});

test("whatever is cut off or put into an event, it is read or refused", () => {
  const cut = fc
    .tuple(
      fc.constantFrom(...BUCKET_EVENTS),
      fc.nat(4_000),
      fc.nat(200),
      fc.string({ unit: "binary", maxLength: 5 }),
    )
    .map(([name, at, length, text]) => {
      const body = readBucketEvent(name);
      return body.slice(0, at) + text + body.slice(at + length);
    });
  const posted = fc.oneof(cut, fc.json(), fc.string());
  expect(fc.sample(posted, 3_000).filter((text) => !isReadOrRefused(text))).toEqual([]);
});
