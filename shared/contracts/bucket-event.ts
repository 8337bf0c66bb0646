import * as z from "zod";
import { BucketName } from "./image.ts";

const EventTime = z.iso.datetime({ offset: true });
/** Empty or null where a vendor has nothing to say. */
const Text = z
  .string()
  .max(1024)
  .nullish()
  .transform((text) => (text === "" ? undefined : (text ?? undefined)));
const Sequencer = Text.pipe(
  z
    .string()
    .regex(/^[0-9a-f]{1,64}$/i, "must be hexadecimal digits")
    .optional(),
);
/** In bytes. Ceph's documentation has it as a text. */
const Size = z.union([z.int().min(0), z.string().regex(/^\d+$/).transform(Number)]).optional();

/** A notification of S3, which MinIO and Ceph send alike: https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html */
export const S3Notification = z.object({
  Records: z.array(
    z.object({
      eventVersion: z.string().regex(/^2\.\d+$/, "must be of the major version 2"),
      eventSource: z.enum(["aws:s3", "minio:s3", "ceph:s3"]),
      eventTime: EventTime,
      eventName: z.string(),
      s3: z.object({
        bucket: z.object({ name: BucketName }),
        object: z.object({
          key: z.string(),
          size: Size,
          eTag: Text,
          versionId: Text,
          sequencer: Sequencer,
        }),
      }),
    }),
  ),
});
export type S3Notification = z.infer<typeof S3Notification>;

/** What S3 sends when a notification is set up. */
export const S3TestEvent = z.object({ Event: z.literal("s3:TestEvent") });

/** The messages of an SQS queue as Lambda gets them, each with an event as its text. */
export const SqsMessages = z.object({
  Records: z.array(
    z.object({ messageId: z.string().min(1), eventSource: z.literal("aws:sqs"), body: z.string() }),
  ),
});

/** What SNS posts to an HTTP endpoint: https://docs.aws.amazon.com/sns/latest/dg/sns-message-and-json-formats.html */
export const SnsMessage = z.discriminatedUnion("Type", [
  z.object({ Type: z.literal("Notification"), TopicArn: z.string(), Message: z.string() }),
  z.object({
    Type: z.literal("SubscriptionConfirmation"),
    TopicArn: z.string(),
    SubscribeURL: z.url({ error: "must be a URL" }),
  }),
  z.object({ Type: z.literal("UnsubscribeConfirmation"), TopicArn: z.string() }),
]);

/** An event of S3 as EventBridge delivers it: https://docs.aws.amazon.com/AmazonS3/latest/userguide/ev-events.html */
export const EventBridgeEvent = z.object({
  source: z.literal("aws.s3"),
  "detail-type": z.string(),
  time: EventTime,
  detail: z.object({
    bucket: z.object({ name: BucketName }),
    object: z.object({
      key: z.string(),
      size: Size,
      etag: Text,
      "version-id": Text,
      sequencer: Sequencer,
    }),
  }),
});
export type EventBridgeEvent = z.infer<typeof EventBridgeEvent>;

/** The message that Cloudflare R2 puts into a queue: https://developers.cloudflare.com/r2/buckets/event-notifications/ */
export const R2Message = z.object({
  account: z.string(),
  action: z.string(),
  bucket: BucketName,
  object: z.object({ key: z.string(), size: Size, eTag: Text }),
  eventTime: EventTime,
});
export type R2Message = z.infer<typeof R2Message>;

/** What is said of a body that is none of these. */
export const EXPECTED_EVENT =
  'expected {"Records": […]} of S3, MinIO, Ceph or SQS, {"Type", "TopicArn", …} of SNS, {"detail-type", "detail", …} of EventBridge or {"account", "action", …} of Cloudflare R2';

/** The body of `POST /v1/events/s3`, in whichever of its forms. */
export const BucketEventBody = z.record(z.string(), z.unknown(), { error: EXPECTED_EVENT }).meta({
  id: "BucketEventBody",
  description:
    "A notification of S3, MinIO or Ceph as it is, an SQS batch as Lambda gets it, an SNS message, an EventBridge event or a message of Cloudflare R2.",
  example: {
    Records: [
      {
        eventVersion: "2.1",
        eventSource: "aws:s3",
        eventTime: "2026-11-22T12:00:00.000Z",
        eventName: "ObjectCreated:Put",
        s3: {
          bucket: { name: "photos" },
          object: { key: "2026/new+cat.jpg", size: 48_211, eTag: "9b2cf535f27731c974343645a3985328" },
        },
      },
    ],
  },
});

/** What became of the events of a request; the three make all of them. */
export const BucketEventCounts = z
  .object({
    accepted: z.int().meta({ description: "Are safely queued for at least one labeler." }),
    missed: z.int().meta({
      description: "Are for labelers that are paused: resuming one starts a run that finds them.",
    }),
    ignored: z.int().meta({
      description:
        "Tell of no new object, of one that Tresline wrote, of one that no labeler is for, or of what a newer event told already.",
    }),
  })
  .meta({ id: "BucketEventCounts", description: "What became of the events." });
export type BucketEventCounts = z.infer<typeof BucketEventCounts>;

/** The answer to an SQS batch, as Lambda wants it. */
export const SqsFailures = z
  .object({ batchItemFailures: z.array(z.object({ itemIdentifier: z.string() })) })
  .meta({ id: "SqsFailures", description: "Which messages of an SQS batch are not bucket events." });
export type SqsFailures = z.infer<typeof SqsFailures>;
