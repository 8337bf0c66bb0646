import { z } from "zod";
import { ClassificationMetrics, LabelOptions } from "./classification.ts";
import { ItemErrorOrNull } from "./error.ts";
import { BATCH_EVENTS } from "./event.ts";
import { BatchId, ClassificationId, ModelName } from "./ids.ts";
import { BucketName, ImageInput, ObjectKey, S3Object } from "./image.ts";
import { Prediction } from "./prediction.ts";

/** The most items a request may list; larger batches come from a manifest or a prefix. */
export const MAX_INLINE_ITEMS = 10_000;

/** The longest name of an item: that of `s3://BUCKET/KEY`, which an item gets that has no other. */
const MAX_CUSTOM_ID = 1100;

/** The client's own name for an item of a batch. */
export const CustomId = z.string().min(1).max(MAX_CUSTOM_ID).meta({ example: "photos/0001.jpg" });

const Items = z
  .array(z.strictObject({ custom_id: CustomId, image: ImageInput }))
  .min(1)
  .max(MAX_INLINE_ITEMS);

const Manifest = z.strictObject({ s3: S3Object }).meta({
  description:
    'A file with a line an image, gzip or not: `{"custom_id", "image"}`, `{"source-ref": "s3://bucket/key"}` or CSV `bucket,key`. A bad line is an item that fails.',
});

const Prefix = z
  .strictObject({
    bucket: BucketName,
    prefix: z.union([ObjectKey, z.literal("")]).meta({ example: "2026/" }),
    suffixes: z
      .array(z.string().min(1).max(64))
      .min(1)
      .max(32)
      .optional()
      .meta({ description: "Only keys that end with one of these; all when absent.", example: [".jpg"] }),
  })
  .meta({ description: "All objects of a bucket whose key begins with the prefix, each by its key." });

/** The JSON body of `POST /v1/batches`: exactly one of `items`, `manifest` and `prefix`. */
export const CreateBatch = LabelOptions.extend({
  items: Items.optional(),
  manifest: Manifest.optional(),
  prefix: Prefix.optional(),
  webhook_events_filter: z.array(z.enum(BATCH_EVENTS)).optional().meta({
    description: "Deliver only these events; all when absent.",
  }),
})
  .superRefine(({ items, manifest, prefix }, context) => {
    const seen = new Map<string, number>();
    for (const [index, { custom_id }] of (items ?? []).entries()) {
      const first = seen.get(custom_id);
      if (first === undefined) seen.set(custom_id, index);
      else
        context.addIssue({
          code: "custom",
          path: ["items", index, "custom_id"],
          message: `"${custom_id}" is already the custom_id of item ${first}`,
        });
    }
    if ([items, manifest, prefix].filter((source) => source !== undefined).length !== 1)
      context.addIssue({
        code: "custom",
        path: [],
        message: "must have exactly one of items, manifest and prefix",
      });
  })
  .meta({
    id: "CreateBatch",
    description: "Exactly one of `items`, `manifest` and `prefix`.",
    example: { items: [{ custom_id: "cat", image: { url: "https://example.com/cat.jpg" } }] },
  });
export type CreateBatch = z.infer<typeof CreateBatch>;

/** The states of a batch; `completed`, `failed`, `canceled` and `expired` are final. */
export const BatchStatus = z
  .enum([
    "validating",
    "in_progress",
    "finalizing",
    "completed",
    "failed",
    "canceling",
    "canceled",
    "expired",
  ])
  .meta({ id: "BatchStatus" });
export type BatchStatus = z.infer<typeof BatchStatus>;

/** A client's set of images, labelled together and reported together. */
export const Batch = z
  .object({
    id: BatchId,
    object: z.literal("batch"),
    status: BatchStatus,
    model: ModelName,
    request_counts: z.object({
      total: z.int().meta({ description: "Grows while a manifest or a prefix is listed." }),
      succeeded: z.int(),
      failed: z.int(),
      canceled: z.int(),
    }),
    progress: z
      .number()
      .meta({ description: "0 to 1: the part of the items that has ended, of those known so far." }),
    eta_seconds: z
      .number()
      .nullable()
      .meta({ description: "Seconds until it is done, by the pace so far; null while nobody can know." }),
    metadata: z.record(z.string(), z.string()),
    created_at: z.iso.datetime(),
    in_progress_at: z.iso.datetime().nullable(),
    finalizing_at: z.iso.datetime().nullable(),
    completed_at: z.iso.datetime().nullable(),
    failed_at: z.iso.datetime().nullable().default(null),
    error: ItemErrorOrNull.default(null).meta({
      description: "Why the source cannot be listed; null unless the batch failed.",
    }),
    urls: z.object({ get: z.string(), results: z.string() }),
  })
  .meta({ id: "Batch", description: "A set of images, labelled together and reported together." });
export type Batch = z.infer<typeof Batch>;

/** One line of a batch's `results.jsonl`: what became of one item. */
export const BatchResult = z
  .object({
    custom_id: CustomId,
    id: ClassificationId,
    status: z.enum(["succeeded", "failed"]),
    predictions: z
      .array(Prediction)
      .nullable()
      .meta({ description: "Best first; null unless it succeeded." }),
    error: ItemErrorOrNull.meta({ description: "Null unless it failed." }),
    model_digest: z.string(),
    metrics: ClassificationMetrics,
  })
  .meta({ id: "BatchResult", description: "What became of one item of a batch: one line of NDJSON." });
export type BatchResult = z.infer<typeof BatchResult>;
