import * as z from "zod";
import { ClassificationMetrics, LabelOptions } from "./classification.ts";
import { ItemErrorOrNull } from "./error.ts";
import { BATCH_EVENTS } from "./event.ts";
import { BatchId, ClassificationId, ModelName } from "./ids.ts";
import { BucketName, ImageInput, ImageSource, ObjectKey, S3Object } from "./image.ts";
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

/** What the keys begin with; `""` for all. */
export const KeyPrefix = z.union([ObjectKey, z.literal("")]).meta({ example: "2026/" });

/** What the keys end with: any of these. */
export const KeySuffixes = z
  .array(z.string().min(1).max(64))
  .min(1)
  .max(32)
  .meta({ description: "Only keys that end with one of these; all when absent.", example: [".jpg"] });

/** An S3 Inventory report, as a client names it. */
export const Inventory = z
  .strictObject({
    s3: S3Object,
    prefix: KeyPrefix.optional(),
    suffixes: KeySuffixes.optional(),
  })
  .meta({
    description:
      "The `manifest.json` of an S3 Inventory report in CSV: every object it lists that begins and ends as asked.",
  });

const Prefix = z
  .strictObject({ bucket: BucketName, prefix: KeyPrefix, suffixes: KeySuffixes.optional() })
  .meta({ description: "All objects of a bucket whose key begins with the prefix, each by its key." });

/** The formats that results are written in beside NDJSON. */
export const OUTPUT_FORMATS = ["csv", "parquet"] as const;

/** The JSON body of `POST /v1/batches`: exactly one of `items`, `manifest`, `prefix` and `inventory`. */
export const CreateBatch = LabelOptions.extend({
  items: Items.optional(),
  manifest: Manifest.optional(),
  prefix: Prefix.optional(),
  inventory: Inventory.optional(),
  output_formats: z
    .array(z.enum(OUTPUT_FORMATS))
    .default([])
    .meta({
      description: "Write the results in these formats too.",
      example: ["csv"],
    }),
  webhook_events_filter: z.array(z.enum(BATCH_EVENTS)).optional().meta({
    description: "Deliver only these events; all but `batch.progress` when absent.",
  }),
})
  .superRefine(({ items, manifest, prefix, inventory }, context) => {
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
    if ([items, manifest, prefix, inventory].filter((source) => source !== undefined).length !== 1)
      context.addIssue({
        code: "custom",
        path: [],
        message: "must have exactly one of items, manifest, prefix and inventory",
      });
  })
  .meta({
    id: "CreateBatch",
    description: "Exactly one of `items`, `manifest`, `prefix` and `inventory`.",
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
    canceling_at: z.iso.datetime().nullable().default(null),
    canceled_at: z.iso.datetime().nullable().default(null),
    expired_at: z.iso.datetime().nullable().default(null),
    deadline: z.iso.datetime().nullable().default(null).meta({
      description: "When it expires unless it has ended by then: `Cancel-After` of the request.",
    }),
    expires_at: z.iso.datetime().nullable().default(null).meta({
      description: "From when it may be deleted; null when it is kept until somebody deletes it.",
    }),
    retry_of: BatchId.nullable().default(null).meta({
      description: "The batch whose failed and canceled items this one labels again.",
    }),
    output_formats: z.array(z.enum(OUTPUT_FORMATS)).default([]),
    error: ItemErrorOrNull.default(null).meta({
      description: "Why the source cannot be listed; null unless the batch failed.",
    }),
    urls: z.object({
      get: z.string(),
      results: z.string(),
      events: z.string(),
      cancel: z.string(),
      retry: z.string(),
    }),
  })
  .meta({ id: "Batch", description: "A set of images, labelled together and reported together." });
export type Batch = z.infer<typeof Batch>;

/** How an item ends. Only a run of a labeler skips: an object whose very version has its labels already. */
export const ITEM_STATUSES = ["succeeded", "failed", "canceled", "skipped"] as const;

export type ItemStatus = (typeof ITEM_STATUSES)[number];

/** One line of a batch's `results.jsonl`: what became of one item. */
export const BatchResult = z
  .object({
    custom_id: CustomId,
    id: ClassificationId,
    status: z.enum(ITEM_STATUSES),
    input: ImageSource.optional().meta({ description: "The image, of an item that failed or was canceled." }),
    predictions: z
      .array(Prediction)
      .nullable()
      .meta({ description: "Best first; null unless it succeeded." }),
    error: ItemErrorOrNull.meta({ description: "Null unless it failed or was canceled." }),
    model_digest: z.string().nullable().meta({
      description: "The very version of the model; null when it was canceled before a worker had it.",
    }),
    metrics: ClassificationMetrics,
    etag: z.string().optional().meta({ description: "In a labeler's run: the version that was looked at." }),
    previous: z
      .object({ label: z.string().nullable(), model_digest: z.string() })
      .optional()
      .meta({ description: "In a labeler's run: the best label and the model of the time before." }),
  })
  .meta({ id: "BatchResult", description: "What became of one item of a batch: one line of NDJSON." });
export type BatchResult = z.infer<typeof BatchResult>;
