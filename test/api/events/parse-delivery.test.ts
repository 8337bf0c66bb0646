import * as fc from "fast-check";
import { expect, test } from "vitest";
import { isCreation } from "../../../api/events/bucket-event.ts";
import type { BucketEvent } from "../../../api/events/bucket-event.ts";
import { parseDelivery, parseEvents } from "../../../api/events/parse-delivery.ts";
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
