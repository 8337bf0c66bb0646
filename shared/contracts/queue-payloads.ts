import * as z from "zod";
import { CustomId, OUTPUT_FORMATS } from "./batch.ts";
import { BATCH_EVENTS, CLASSIFICATION_EVENTS, EventType, RUN_EVENTS } from "./event.ts";
import {
  BatchId,
  BatchOrRunId,
  ClassificationId,
  LabelerId,
  MessageId,
  ModelName,
  Tenant,
  WebhookEndpointId,
} from "./ids.ts";
import { BucketName, HttpUrl, ImagePointer, ObjectKey, S3Object } from "./image.ts";
import { OnError, RunMode, WriteBack } from "./labeler.ts";
import { Lane } from "./lane.ts";
import { Traceparent } from "./traceparent.ts";
import { webhookFor } from "./webhook.ts";

/** For which labeler objects are labelled and how; `mode` is `live` for an object that an event told of. */
export const ForLabeler = z.object({
  id: LabelerId,
  write_back: WriteBack,
  on_error: OnError,
  mode: z.union([RunMode, z.literal("live")]),
});
export type ForLabeler = z.infer<typeof ForLabeler>;

/** The place of every job in a trace: under the span of what made it. A job without one begins a trace. */
export const Traced = z.object({ traceparent: Traceparent.optional() });

const Labelling = z.object({
  tenant: Tenant,
  model: ModelName,
  top_k: z.int(),
  threshold: z.number(),
});

/** The job of one classification: all that a worker needs to label it and to write the resource it ends as. */
export const ClassifyImagePayload = Labelling.extend({
  ...Traced.shape,
  kind: z.literal("image"),
  id: ClassificationId,
  image: ImagePointer,
  priority: Lane,
  metadata: z.record(z.string(), z.string()),
  webhook: webhookFor(CLASSIFICATION_EVENTS).nullable(),
  // The feed that is told of its end, of the process in which a request waits for it.
  feed: z.string().nullable().default(null),
  created_at: z.iso.datetime(),
  deadline: z.iso.datetime().nullable().default(null),
  expires_at: z.iso.datetime().nullable().default(null),
  url: z.string(),
});
export type ClassifyImagePayload = z.infer<typeof ClassifyImagePayload>;

const ListedImage = z.object({ custom_id: CustomId, image: ImagePointer });
const ListedFault = z.object({ custom_id: CustomId, fault: z.string() });

/** One item as the source of a batch has it: an image, or a sentence that says why there is none. */
export const ListedItem = z.union([ListedImage, ListedFault]);
export type ListedItem = z.infer<typeof ListedItem>;

/** One item of a batch on its way to a worker; `index` is its position in the batch, from 0. */
export const BatchItem = z.union([
  ListedImage.extend({ index: z.int() }),
  ListedFault.extend({ index: z.int() }),
]);
export type BatchItem = z.infer<typeof BatchItem>;

/** The job of up to 64 items of a batch; `chunk` counts from 0. */
export const ClassifyChunkPayload = Labelling.extend({
  ...Traced.shape,
  kind: z.literal("chunk"),
  batch_id: BatchOrRunId,
  labeler: ForLabeler.optional(),
  chunk: z.int(),
  items: z.array(BatchItem),
});
export type ClassifyChunkPayload = z.infer<typeof ClassifyChunkPayload>;

/** The job of one object that an event told a labeler of; `id` is derived from the two and the object's version. */
export const ClassifyObjectPayload = Labelling.extend({
  ...Traced.shape,
  id: ClassificationId,
  labeler: ForLabeler,
  bucket: BucketName,
  key: ObjectKey,
});
export type ClassifyObjectPayload = z.infer<typeof ClassifyObjectPayload>;

/** What travels in a `classify` queue. */
export const ClassifyPayload = z.discriminatedUnion("kind", [ClassifyImagePayload, ClassifyChunkPayload]);
export type ClassifyPayload = z.infer<typeof ClassifyPayload>;

/** What travels in the `scan` queue: list a batch's source and enqueue its chunks, close it when all of them are done, see that its deadline has passed, or remove what storage has of it. */
export const ScanPayload = Traced.extend({
  kind: z.enum(["enqueue", "finish", "expire", "delete"]),
  tenant: Tenant,
  batch_id: BatchOrRunId,
});
export type ScanPayload = z.infer<typeof ScanPayload>;

/** The job of the `scan` queue that is there once a day: delete what is past its retention. */
export const SweepPayload = z.object({ kind: z.literal("sweep") });

/**
 * What travels in the `deliver` queue: one message for one receiver, an address or a registered endpoint. `body` is the very
 * text that is signed and sent; `sending` is 0, and one more each time the message is sent again after it had ended.
 */
export const DeliverPayload = Traced.extend({
  message_id: MessageId,
  tenant: Tenant,
  event_type: EventType,
  body: z.string(),
  created_at: z.iso.datetime(),
  sending: z.int().default(0),
}).and(z.union([z.object({ url: HttpUrl }), z.object({ endpoint_id: WebhookEndpointId })]));
export type DeliverPayload = z.infer<typeof DeliverPayload>;

const ClientSources = [
  z.object({ type: z.literal("items") }),
  z.object({ type: z.literal("manifest"), ...S3Object.shape }),
  z.object({
    type: z.literal("prefix"),
    bucket: BucketName,
    prefix: z.string(),
    suffixes: z.array(z.string()).optional(),
  }),
  z.object({
    type: z.literal("inventory"),
    ...S3Object.shape,
    // Of which bucket and keys; all of the report when absent.
    of_bucket: BucketName.optional(),
    prefix: z.string().default(""),
    suffixes: z.array(z.string()).optional(),
  }),
] as const;

/** What an earlier batch left undone: its lines without labels, or its source, from where that was not listed on: `items` of it came before `position`. */
export const RetryPart = z.object({
  batch_id: BatchId,
  source: z.discriminatedUnion("type", [z.object({ type: z.literal("errors") }), ...ClientSources]),
  items: z.int(),
  position: z.string(),
});
export type RetryPart = z.infer<typeof RetryPart>;

/** How far a retry is listed: `items` of its part number `part` came before `position`. */
export const RetryPosition = z.object({ part: z.int(), items: z.int(), position: z.string() });
export type RetryPosition = z.infer<typeof RetryPosition>;

/** Where the items of a batch come from: a file of those that came with the request, a manifest, all objects under a prefix, an inventory, or what an earlier batch left undone, part by part. */
export const BatchSource = z.discriminatedUnion("type", [
  ...ClientSources,
  z.object({ type: z.literal("retry"), batch_id: BatchId, parts: z.array(RetryPart) }),
]);
export type BatchSource = z.infer<typeof BatchSource>;

/** What a batch is made of besides its counters: kept in Redis while it moves, so that every worker can end it. */
export const BatchRecord = Labelling.extend({
  id: BatchOrRunId,
  labeler: ForLabeler.optional(),
  images_per_second: z.number().optional(),
  output_formats: z.array(z.enum(OUTPUT_FORMATS)).default([]),
  deadline: z.iso.datetime().nullable().default(null),
  expires_at: z.iso.datetime().nullable().default(null),
  metadata: z.record(z.string(), z.string()),
  source: BatchSource.default({ type: "items" }),
  webhook: webhookFor([...BATCH_EVENTS, ...RUN_EVENTS]).nullable(),
  created_at: z.iso.datetime(),
  url: z.string(),
});
export type BatchRecord = z.infer<typeof BatchRecord>;
