import { readFileSync } from "node:fs";

/** The fixtures by what they are: bodies as the vendors post them. */
export const BUCKET_EVENTS = [
  "aws-put",
  "aws-delete",
  "aws-test-event",
  "sqs-batch",
  "sns-notification",
  "sns-subscription-confirmation",
  "sns-unsubscribe-confirmation",
  "eventbridge-object-created",
  "minio-put",
  "ceph-put",
  "r2-put",
] as const;

/** The text of a fixture. */
export const readBucketEvent = (name: (typeof BUCKET_EVENTS)[number]): string =>
  readFileSync(new URL(`../../fixtures/bucket-events/${name}.json`, import.meta.url), "utf8");

/** S3's notification of a new object, as `source` sends it. */
export const s3Notification = (
  object: { key: string; size?: number; eTag?: string; versionId?: string; sequencer?: string },
  { bucket = "photos", eventName = "ObjectCreated:Put", source = "aws:s3" } = {},
) => ({
  Records: [
    {
      eventVersion: "2.1",
      eventSource: source,
      eventTime: "2026-11-22T12:00:00.000Z",
      eventName,
      s3: { bucket: { name: bucket }, object: { size: 1_000, ...object } },
    },
  ],
});
