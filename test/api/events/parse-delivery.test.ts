import * as fc from "fast-check";
import { expect, test } from "vitest";
import { isCreation } from "../../../api/events/bucket-event.ts";
import type { BucketEvent } from "../../../api/events/bucket-event.ts";
import { parseDelivery, parseEvents } from "../../../api/events/parse-delivery.ts";
import { AppError } from "../../../shared/errors.ts";
import { BUCKET_EVENTS, readBucketEvent, s3Notification } from "../support/bucket-events.ts";

/** The object that all fixtures tell of, with a key that each vendor encodes in its own way. */
const KEY = "in/new photo+é 100%.jpg";
const ETAG = "9b2cf535f27731c974343645a3985328";
const fromAws: BucketEvent = {
  source: "aws:s3",
  bucket: "photos",
  key: KEY,
  versionId: "096fKKXTRTtl3on89fVO.nfljtsv6qko",
  etag: ETAG,
  size: 48_211,
  sequencer: "0A1B2C3D4E5F678901",
  eventName: "ObjectCreated:Put",
  eventTime: "2026-11-22T12:00:00.471Z",
};
const fromEventBridge: BucketEvent = {
  ...fromAws,
  source: "eventbridge",
  eventName: "Object Created",
  eventTime: "2026-11-22T12:00:00Z",
};
const unversioned = { versionId: undefined };

function eventsOf(text: string): BucketEvent[] {
  const delivery = parseDelivery(text);
  if (delivery.kind !== "events") throw new Error(`It was read as ${delivery.kind}.`);
  return delivery.events;
}

const UNDERSTOOD: [name: (typeof BUCKET_EVENTS)[number], events: BucketEvent[]][] = [
  ["aws-put", [fromAws]],
  ["sns-notification", [fromAws]],
  ["eventbridge-object-created", [fromEventBridge]],
  ["minio-put", [{ ...fromAws, ...unversioned, source: "minio:s3", sequencer: "18B4D1C9F3F6D6A1" }]],
  [
    "ceph-put",
    [
      {
        ...fromAws,
        ...unversioned,
        source: "ceph:s3",
        sequencer: "6B02D9401C173538",
        eventTime: "2026-11-22T12:00:00.471283Z",
      },
    ],
  ],
  ["r2-put", [{ ...fromAws, ...unversioned, source: "r2", sequencer: undefined, eventName: "PutObject" }]],
  ["aws-test-event", []],
  ["sns-unsubscribe-confirmation", []],
];

test.each(UNDERSTOOD)(
  "%s is read as what it tells, with the key decoded as its vendor encodes it",
  (name, events) => {
    expect(eventsOf(readBucketEvent(name))).toEqual(events);
  },
);

test("a batch of SQS is messages, each with an event as S3, SNS or EventBridge put it there", () => {
  const delivery = parseDelivery(readBucketEvent("sqs-batch"));
  if (delivery.kind !== "messages") throw new Error(`It was read as ${delivery.kind}.`);
  expect(delivery.messages.map(({ id }) => id.slice(0, 8))).toEqual([
    "059f36b4",
    "2e1424d4",
    "6f2e0d0b",
    "be9b4e6c",
  ]);
  const [s3 = "", sns = "", eventBridge = "", nonsense = ""] = delivery.messages.map(({ text }) => text);
  expect([s3, sns, eventBridge].flatMap(parseEvents)).toEqual([fromAws, fromAws, fromEventBridge]);
  expect(() => parseEvents(nonsense)).toThrow("The message is not valid JSON.");
});

test("a subscription of SNS is told with the address that confirms it", () => {
  expect(parseDelivery(readBucketEvent("sns-subscription-confirmation"))).toEqual({
    kind: "confirmation",
    subscribeUrl: expect.stringMatching(
      /^https:\/\/sns\.eu-central-1\.amazonaws\.com\/\?Action=ConfirmSubscription&/,
    ),
  });
});

test("a deletion is read and creates nothing", () => {
  const [event] = eventsOf(readBucketEvent("aws-delete"));
  expect(event).toMatchObject({ key: "in/old.jpg", size: undefined, eventName: "ObjectRemoved:Delete" });
  expect(event && isCreation(event)).toBe(false);
});

test.each([
  ["ObjectCreated:Put", true],
  ["s3:ObjectCreated:Post", true],
  ["ObjectCreated:Copy", true],
  ["s3:ObjectCreated:CompleteMultipartUpload", true],
  ["s3:ObjectCreated:PutTagging", false],
  ["s3:ObjectCreated:DeleteTagging", false],
  ["s3:ObjectCreated:PutRetention", false],
  ["s3:ObjectCreated:PutLegalHold", false],
  ["ObjectTagging:Put", false],
  ["ObjectRemoved:DeleteMarkerCreated", false],
  ["ObjectRestore:Completed", false],
  ["LifecycleTransition", false],
])("%s tells of a new object: %s", (eventName, expected) => {
  const [event] = eventsOf(JSON.stringify(s3Notification({ key: "a.jpg" }, { eventName })));
  expect(event && isCreation(event)).toBe(expected);
});

test.each(["PutObject", "CopyObject", "CompleteMultipartUpload", "DeleteObject", "LifecycleDeletion"])(
  "R2's %s tells of a new object unless it deletes",
  (action) => {
    const text = JSON.stringify({ ...(JSON.parse(readBucketEvent("r2-put")) as object), action });
    expect(eventsOf(text).map(isCreation)).toEqual([!action.includes("Delet")]);
  },
);

test("an event of a bucket itself has no key and is no fault", () => {
  const created = s3Notification({ key: "" }, { eventName: "s3:BucketCreated:*", source: "minio:s3" });
  expect(eventsOf(JSON.stringify(created)).map(isCreation)).toEqual([false]);
});

/** A sequencer as Ceph makes it: the memory of two numbers. */
function cephSequencer(seconds: number, nanoseconds: number): string {
  const memory = Buffer.alloc(8);
  memory.writeUInt32LE(seconds, 0);
  memory.writeUInt32LE(nanoseconds, 4);
  return memory.toString("hex").toUpperCase();
}

const sequencerOf = (sequencer: string) =>
  eventsOf(JSON.stringify(s3Notification({ key: "a", sequencer }, { source: "ceph:s3" })))[0]?.sequencer ??
  "";

test("Ceph's sequencers grow with time once they are read, though they do not as they are sent", () => {
  expect(cephSequencer(0x100, 0) < cephSequencer(0xff, 0)).toBe(true);
  const nanoseconds = fc.integer({ min: 0, max: 999_999_999 });
  const moment = fc.tuple(fc.integer({ min: 1.6e9, max: 2 ** 32 - 1 }), nanoseconds);
  fc.assert(
    fc.property(moment, moment, ([s1, n1], [s2, n2]) => {
      const isBefore = s1 < s2 || (s1 === s2 && n1 < n2);
      expect(sequencerOf(cephSequencer(s1, n1)) < sequencerOf(cephSequencer(s2, n2))).toBe(isBefore);
    }),
  );
});

const formEncoded = (key: string) => encodeURIComponent(key).replaceAll("%20", "+");

test("any key survives the encoding of each vendor", () => {
  const key = fc.string({ unit: "grapheme", minLength: 1, maxLength: 60 });
  fc.assert(
    fc.property(key, (name) => {
      for (const [source, sent] of [
        ["aws:s3", formEncoded(name)],
        ["minio:s3", formEncoded(name)],
        ["ceph:s3", name],
      ] as const)
        expect(eventsOf(JSON.stringify(s3Notification({ key: sent }, { source })))[0]?.key).toBe(name);
    }),
  );
});

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
